# SPDX-License-Identifier: Apache-2.0
"""A real factory in a directory, and its command line, for tests."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from homeport.artefacts.manifest import ManifestLine, ManifestReader
from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import DeviceRecord
from homeport.factory.cli import main
from homeport.factory.factory import Factory
from homeport.pki.certificates import pem_of
from tools.vectors_artefacts.works import Works


@dataclass(frozen=True)
class FactoryLine:
    """One factory's directory."""

    directory: Path

    def run(self, verb: str, *arguments: object) -> Any:
        """Run `homeport factory VERB DIR ... --json`; return what it printed, demand success."""
        code, printed = self.attempt(verb, *arguments)
        assert code == 0, printed
        return printed

    def refused(self, verb: str, *arguments: object) -> dict[str, str]:
        """Run a verb that must fail; return the error that it printed."""
        code, printed = self.attempt(verb, *arguments)
        assert code == 1, printed
        error: dict[str, str] = printed["error"]
        assert error["title"]
        assert error["advice"]
        return error

    def attempt(self, verb: str, *arguments: object) -> tuple[int, Any]:
        """Run a verb; return its exit status and what it printed."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main([verb, str(self.directory), *map(str, arguments), "--json"])
        return code, json.loads(out.getvalue()) if out.getvalue() else None

    @property
    def factory(self) -> Factory:
        """The factory, opened."""
        return Factory(self.directory)

    def devices(self) -> list[DeviceRecord]:
        """Return what the archive holds."""
        records = read_archive(self.factory.archive)
        return [record for record in records if isinstance(record, DeviceRecord)]

    def serial_numbers(self) -> list[str]:
        """Return the serial numbers in the archive, in order."""
        return [record.serial_number for record in self.devices()]

    def manifest(self, path: Path) -> list[ManifestLine]:
        """Read a manifest under this factory's anchor."""
        with path.open("rb") as file:
            return list(ManifestReader(file, self.factory.anchor))


def make_line(parent: Path, *options: object) -> FactoryLine:
    """Run `homeport factory init` below a directory."""
    anchors = parent / "platform.pem"
    anchors.write_bytes(pem_of(Works().root))
    line = FactoryLine(parent / "works")
    line.run(
        "init", "--name", "Example Works", "--label-host", "label.example",
        "--platform-name", "platform.example", "--platform-url", "https://platform.example:8443",
        "--platform-anchors", anchors, *options,
    )  # fmt: skip
    return line


@pytest.fixture
def line(tmp_path: Path) -> FactoryLine:
    """A factory with keys in files."""
    return make_line(tmp_path)
