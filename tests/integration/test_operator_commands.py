# SPDX-License-Identifier: Apache-2.0
"""The operator's commands as they are typed: what they say, refuse, and leave unchanged."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.factory_line import FactoryLine, line
from homeport.server.cli import main

__all__ = ["line"]  # a fixture


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


class Operator:
    """Types commands and reads what they print."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._data, self._capsys = data, capsys

    def types(self, *words: object) -> tuple[int, str, str]:
        code = main([*map(str, words), "--data", str(self._data)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def asks(self, *words: object) -> Any:
        code, out, err = self.types(*words, "--json")
        assert code == 0, out + err
        return json.loads(out)

    def refused(self, *words: object) -> dict[str, str]:
        code, out, _ = self.types(*words, "--json")
        assert code == 1
        error: dict[str, str] = json.loads(out)["error"]
        assert error["title"]
        assert error["advice"]
        return error


@pytest.fixture
def operator(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Operator:
    monkeypatch.setenv("COLUMNS", "200")
    operator = Operator(data, capsys)
    assert operator.types("platform", "show")[0] == 0
    return operator


@pytest.fixture
def manifest(line: FactoryLine, tmp_path: Path) -> Path:
    line.run("mint", "--model", "EX-100", "--count", 3)
    path = tmp_path / "manifest.jsonl"
    line.run("hand-over", "--output", path)
    return path


def anchor(line: FactoryLine) -> Path:
    return line.directory / "idevid-anchor.pem"


def states(operator: Operator) -> dict[str, str]:
    return {d["serial_number"]: d["state"] for d in operator.asks("device", "list")}


def test_a_manifest_is_imported_once_and_again_without_harm(
    operator: Operator, line: FactoryLine, manifest: Path
) -> None:
    first = operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    again = operator.asks("manifest", "import", manifest)
    assert (first["devices"], first["new"], first["first"]) == (3, 3, True)
    assert (again["devices"], again["new"], again["first"]) == (3, 0, False)
    assert set(states(operator).values()) == {"registered"}
    [known] = operator.asks("manifest", "authorities")
    assert known["authority"] == first["authority"]


def test_a_named_anchor_counts_even_when_the_right_one_is_trusted(
    operator: Operator, line: FactoryLine, manifest: Path
) -> None:
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    wrong = line.directory / "voucher-anchor.pem"
    error = operator.refused("manifest", "import", manifest, "--anchor", wrong)
    assert error["code"] == "manifest-unproven"


def test_an_unknown_factory_needs_its_anchor(operator: Operator, manifest: Path) -> None:
    assert operator.refused("manifest", "import", manifest)["code"] == "manifest-unproven"
    assert states(operator) == {}


@pytest.mark.parametrize("line_number", [1, 2, 3, 4])
def test_an_altered_manifest_names_its_line_and_imports_nothing(
    operator: Operator, line: FactoryLine, manifest: Path, line_number: int
) -> None:
    lines = manifest.read_bytes().splitlines(keepends=True)
    lines[line_number - 1] = (
        lines[line_number - 1]
        .replace(b"EX-100", b"EX-101")
        .replace(b'"factory":"', b'"factory":"X')
    )
    manifest.write_bytes(b"".join(lines))
    error = operator.refused("manifest", "import", manifest, "--anchor", anchor(line))
    assert error["code"] == "manifest-malformed"
    assert error["detail"].startswith(f"line {line_number}:")
    assert states(operator) == {}
    assert operator.asks("manifest", "authorities") == []


def test_a_truncated_manifest_imports_nothing(
    operator: Operator, line: FactoryLine, manifest: Path
) -> None:
    manifest.write_bytes(b"".join(manifest.read_bytes().splitlines(keepends=True)[:-1]))
    error = operator.refused("manifest", "import", manifest, "--anchor", anchor(line))
    assert "trailer" in error["detail"]
    assert states(operator) == {}


def test_sales_before_and_after_the_manifest(
    operator: Operator, line: FactoryLine, manifest: Path, tmp_path: Path
) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text("serial_number,tenant\nEX-100-000001..EX-100-000002,acme\n")
    assert operator.refused("sales", "import", sales)["code"] == "sales-malformed"
    operator.asks("tenant", "add", "acme")
    assert operator.asks("sales", "import", sales) == {
        "records": 1,
        "new": 1,
        "outdated": 0,
        "assigned": 0,
        "moved": 0,
        "freed": 0,
        "failed": 0,
        "faults": [],
    }
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    operator.asks("device", "assign", "EX-100-000003", "--tenant", "acme")
    shown = operator.asks("device", "show", "EX-100-000003")
    assert (shown["tenant"], shown["upstream"], shown["epoch"]) == ("acme", "here", 1)
    assert [e["event"] for e in shown["timeline"]] == ["device:assigned"]
    error = operator.refused("device", "assign", "EX-100-000003", "--tenant", "acme2")
    assert (error["code"], error["detail"]) == ("tenant-unknown", "acme2")


def test_every_wrong_line_of_sales_is_told_and_none_is_taken(
    operator: Operator, tmp_path: Path
) -> None:
    operator.asks("tenant", "add", "acme")
    sales = tmp_path / "sales.csv"
    rows = ["EX-1,acme", "EX-2,nobody", "EX-9..EX-1,acme", "EX-3,acme,extra", "EX-4,acme"]
    sales.write_text("serial_number,tenant\n" + "\n".join(rows) + "\n")
    detail = operator.refused("sales", "import", sales)["detail"]
    assert all(f"line {number}:" in detail for number in (3, 4, 5))
    assert not any(f"line {number}:" in detail for number in (2, 6))
    sales.write_text("serial_number,tenant\nEX-1,acme\n")
    assert operator.asks("sales", "import", sales)["new"] == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "sales-malformed"),
        (b"a,b\n1,2\n", "sales-malformed"),
        (b"\xff\xfe\x00", "sales-malformed"),
        (b'serial_number,tenant\n"EX-1,acme\n', "sales-malformed"),
    ],
)
def test_what_is_no_sales_file_is_said(
    operator: Operator, tmp_path: Path, content: bytes, code: str
) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_bytes(content)
    assert operator.refused("sales", "import", sales)["code"] == code


def test_misuse_is_status_two_and_absence_is_explained(operator: Operator, data: Path) -> None:
    assert operator.types("no-such-verb")[0] == 2
    assert operator.types("tenant", "add")[0] == 2
    assert operator.refused("device", "show", "EX-1")["code"] == "device-unknown"
    assert operator.refused("sales", "import", data / "none.csv")["code"] == "file-missing"
    assert operator.refused("tenant", "add", "Not A Name")["code"] == "malformed"
    operator.asks("tenant", "add", "acme")
    error = operator.refused("tenant", "add", "acme")
    assert (error["code"], error["detail"]) == ("already-exists", "tenant acme")
    assert operator.refused("upstream", "watch")["code"] == "broker-unavailable"


def test_people_are_told_title_detail_and_advice(operator: Operator) -> None:
    code, out, err = operator.types("device", "show", "EX-1")
    assert (code, out) == (1, "")
    assert "No such device." in err
    assert "EX-1" in err
    assert "homeport device list" in err


def test_hostile_text_does_not_drive_the_terminal(operator: Operator) -> None:
    title = "[red]evil[/red] \u200d😀 '; DROP TABLE tenants; --"
    operator.asks("tenant", "add", "acme", "--title", title)
    code, out, _ = operator.types("tenant", "list")
    assert code == 0
    assert "\u200d" not in out
    assert "[red]evil[/red]" in out, "shown as it is, not interpreted"
    [tenant] = operator.asks("tenant", "list")
    assert tenant["title"] == title, "kept unchanged"


@pytest.mark.parametrize("title", ["\x1b[2Jevil", "evil\x07", "a\nb", "t" * 201])
def test_a_title_that_is_no_line_is_refused_with_the_reason(operator: Operator, title: str) -> None:
    error = operator.refused("tenant", "add", "acme", "--title", title)
    assert error["code"] == "malformed"
    assert error["detail"].startswith("title: ")
    assert operator.asks("tenant", "list") == []


def test_times_are_utc_and_json_is_complete(
    operator: Operator, line: FactoryLine, manifest: Path
) -> None:
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    listed = operator.asks("device", "list", "--limit", 2)
    rest = operator.asks("device", "list", "--after", listed[-1]["id"])
    assert [d["serial_number"] for d in (*listed, *rest)] == [
        f"EX-100-{number:06}" for number in (1, 2, 3)
    ]
    since = datetime.fromisoformat(listed[0]["since"])
    assert since.tzinfo is not None
    assert abs((datetime.now(UTC) - since).total_seconds()) < 600


def test_sending_needs_an_owner_and_a_broker(
    operator: Operator, line: FactoryLine, manifest: Path
) -> None:
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    serial = "EX-100-000001"
    assert operator.refused("device", "send", serial, "set", "21")["code"] == "tenant-unknown"
    operator.asks("tenant", "add", "acme")
    operator.asks("device", "assign", serial, "--tenant", "acme")
    assert operator.refused("device", "send", serial, "set", "21")["code"] == "broker-unavailable"
    assert operator.refused("device", "send", serial, "a+b", "21")["code"] == "malformed"
