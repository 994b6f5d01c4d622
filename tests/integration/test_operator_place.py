# SPDX-License-Identifier: Apache-2.0
"""Commands and the place of the platform: its name, its directory, who is in there already."""

import asyncio
import fcntl
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from homeport.errors import Code, HomeportError
from homeport.server.cli import main
from homeport.server.run import LOCK_FILE, run
from homeport.server.settings import ServerSettings, load_settings


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: "machine.example")
    monkeypatch.setenv("COLUMNS", "40")


def settings(data: Path, name: str | None = None) -> ServerSettings:
    return load_settings(None, {"data": str(data), "name": name})


def shown(capsys: pytest.CaptureFixture[str], data: Path) -> Any:
    assert main(["platform", "show", "--data", str(data), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def make_platform(data: Path, name: str) -> None:
    file = data.with_suffix(".toml")
    file.write_text(f'name = "{name}"\n')
    assert main(["platform", "show", "--config", str(file), "--data", str(data)]) == 0


def test_the_first_run_takes_the_name_of_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(capsys, tmp_path / "data")["name"] == "machine.example"


@pytest.mark.parametrize("name", ["platform.local", "192.0.2.10", "2001:db8::10"])
def test_a_command_that_is_not_told_the_name_does_not_rename_the_platform(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    make_platform(data, name)
    capsys.readouterr()
    before = (data / "keys" / "server.pem").read_bytes()
    assert shown(capsys, data)["name"] == name
    assert (data / "keys" / "server.pem").read_bytes() == before
    assert settings(data, "new.example").name == "new.example"


@pytest.mark.parametrize("name", ["plat form", "a..b", "-a", "https://a", "ü.example", "a" * 64])
def test_what_is_no_host_name_is_refused_before_it_stands_in_certificates(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(HomeportError) as refused:
        settings(tmp_path / "data", name)
    assert refused.value.code is Code.SETTING_WRONG


def test_reading_where_no_platform_is_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "mistyped"
    for words in (["device", "list"], ["tenant", "list"], ["manifest", "authorities"]):
        assert main([*words, "--data", str(data), "--json"]) == 1
        error = json.loads(capsys.readouterr().out)["error"]
        assert error["code"] == "file-missing"
        assert str(data) in error["detail"]
    assert not data.exists()


def test_a_second_platform_changes_nothing_in_the_directory(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with (data / LOCK_FILE).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(HomeportError) as refused:
            asyncio.run(run(settings(data, "other.example"), asyncio.Event()))
    assert refused.value.code is Code.ALREADY_EXISTS
    assert [path.name for path in data.iterdir()] == [LOCK_FILE]


def test_a_table_is_not_cut_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    name = "a-tenant-whose-name-has-forty-characters"
    title = "A title that is longer than a narrow terminal"
    assert main(["tenant", "add", name, "--title", title, "--data", str(data)]) == 0
    capsys.readouterr()
    assert main(["tenant", "list", "--data", str(data)]) == 0
    assert f"{name}  {title}  here" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "nowhere" / "platform.pem"
    words = ["platform", "anchors", "--output", str(output), "--data", str(tmp_path / "data")]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert f"{output}: No such file or directory" in said
    assert "storage-unavailable" in said
