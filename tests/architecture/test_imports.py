# SPDX-License-Identifier: Apache-2.0
"""The import rule holds, and each of its contracts would notice if it did not."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from architecture.source_tree import ROOT, SOURCE

VIOLATIONS = {
    "domain/wrong_layer.py": "import homeport.storage",
    "protocols/native/wrong_neighbour.py": "import homeport.protocols.mqtt",
    "protocols/dpp/wrong_room.py": "import homeport.pki.base64url",
    "agent/wrong_reach.py": "import homeport.provisioning",
    "factory/wrong_reach.py": "import homeport.storage",
    "domain/wrong_package.py": "import cryptography",
    "keys/wrong_sql.py": "import sqlite3",
    "ca/wrong_web.py": "import starlette",
    "server/wrong_people.py": "import fastapi",
    "factory/wrong_asker.py": "import httpx",
    "factory/wrong_client.py": "import homeport.api.client",
    "pki/wrong_token.py": "import pkcs11",
    "server/wrong_broker.py": "import nats",
    "server/wrong_mqtt.py": "import awscrt.mqtt",
    "server/wrong_jose.py": "import joserfc.jwt",
    "server/wrong_password.py": "import argon2",
    "factory/wrong_terminal.py": "import rich.table",
    "server/wrong_drawing.py": "import segno",
    "keys/wrong_circle_a.py": "import homeport.keys.wrong_circle_b",
    "keys/wrong_circle_b.py": "import homeport.keys.wrong_circle_a",
}


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache", "--config",
         str(ROOT / "pyproject.toml")],
        cwd=ROOT, text=True, capture_output=True, check=False, timeout=100,
        env=os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{ROOT}", "COLUMNS": "300"},
    )  # fmt: skip


def contract_names() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


def verdicts(report: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S.*) (KEPT|BROKEN)\b.*$", report, re.MULTILINE))


def test_the_import_rule_holds():
    done = lint_imports(ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts(done.stdout) == dict.fromkeys(contract_names(), "KEPT")


def test_every_contract_catches_a_violation(tmp_path):
    copy = copied(tmp_path)
    for name, line in VIOLATIONS.items():
        place = copy / name
        place.write_text(f"{line}\n", encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert verdicts(done.stdout) == dict.fromkeys(contract_names(), "BROKEN"), done.stderr
    unnoticed = [name for name in VIOLATIONS if Path(name).stem not in done.stdout]
    assert unnoticed == []


def test_a_new_room_has_to_be_placed(tmp_path):
    room = copied(tmp_path) / "utils"
    room.mkdir()
    (room / "__init__.py").touch()
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert "homeport.utils" in done.stdout + done.stderr


def copied(folder: Path) -> Path:
    return Path(
        shutil.copytree(SOURCE, folder / "homeport", ignore=shutil.ignore_patterns("*.pyc"))
    )
