# SPDX-License-Identifier: Apache-2.0
"""Commands about whose a device is: claims, fresh codes, the ledger; and imports in bulk."""

import csv
import io
from pathlib import Path

import pytest

from fakes.factory_line import FactoryLine
from integration.test_operator_commands import Operator, anchor, data, line, manifest, operator

__all__ = ["data", "line", "manifest", "operator"]

SERIAL = "EX-100-000001"


@pytest.fixture
def known(operator: Operator, line: FactoryLine, manifest: Path) -> Operator:
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    for tenant in ("acme", "other"):
        operator.asks("tenant", "add", tenant)
    return operator


def fresh(known: Operator, file: Path) -> Path:
    file.write_text(known.asks("device", "claim-code", SERIAL)["code"] + "\n")
    return file


def test_a_claim_from_code_to_ledger(known: Operator, tmp_path: Path) -> None:
    code = fresh(known, tmp_path / "code")
    made = known.asks("device", "claim", SERIAL, "--tenant", "acme", "--code-file", code)
    assert (made["state"], made["tenant"]) == ("pending", "acme")
    assert [c["id"] for c in known.asks("device", "claims")] == [made["id"]]
    assert known.asks("device", "claims", "--tenant", "other") == []
    told = known.asks("device", "ownership", SERIAL)
    assert [entry["kind"] for entry in told["entries"]] == ["manufactured", "claimed"]
    assert told["ownership"] == "claimed"
    assert known.asks("device", "withdraw-claim", SERIAL)["state"] == "withdrawn"
    assert known.refused("device", "withdraw-claim", SERIAL)["code"] == "not-found"


def test_a_code_is_never_an_argument_and_a_wrong_one_is_refused(
    known: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("00000-00000-00000-00000\n"))
    words = ("device", "claim", SERIAL, "--tenant", "acme")
    assert known.refused(*words)["code"] == "claim-refused"
    events = known.asks("device", "ownership", SERIAL)["entries"]
    assert [entry["kind"] for entry in events] == ["manufactured"]


def test_people_read_all_of_it(known: Operator, tmp_path: Path) -> None:
    code = fresh(known, tmp_path / "code")
    words = ("device", "claim", SERIAL, "--tenant", "acme", "--code-file", code)
    assert "confirms by its next enrolment" in known.types(*words)[1]
    assert SERIAL in known.types("device", "claims")[1]
    assert "claim-code" in known.types("device", "ownership", SERIAL)[1]
    assert "withdrawn" in known.types("device", "withdraw-claim", SERIAL)[1]
    assert "Shown once" in known.types("device", "claim-code", SERIAL)[1]


def test_good_lines_are_taken_and_the_others_reported(known: Operator, tmp_path: Path) -> None:
    count = 300
    sales, report = tmp_path / "sales.csv", tmp_path / "report.csv"
    rows = [f"EX-{number:07},acme" for number in range(count)]
    rows[10], rows[200], rows[count - 1] = "EX-10,nobody", "broken", "EX-0000001,other"
    good = count - 3
    sales.write_text("serial_number,tenant\n" + "\n".join(rows) + "\n")
    assert known.refused("sales", "import", sales, "--report", report)["code"] == "sales-conflict"
    with report.open(newline="") as file:
        assert sorted(row["line"] for row in csv.DictReader(file)) == sorted(
            ["12", "202", f"{count + 1}"]
        )
    status, out, _ = known.types("sales", "import", sales, "--good-lines", "--dry-run")
    assert (status, f"{good} of them new" in out, "dry run" in out) == (3, True, True)
    status, out, err = known.types("sales", "import", sales, "--good-lines", "--report", report)
    assert (status, f"{good} of them new" in out, "3 failed" in err) == (3, True, True)
    assert "0 of them new" in known.types("sales", "import", sales, "--good-lines")[1]
