# SPDX-License-Identifier: Apache-2.0
"""`homeport device context`, `device twin` and `model schema`, as an operator types them."""

import json
from datetime import UTC, datetime

import pytest

from contract.registry_suite import device
from homeport.domain.tenant import Tenant
from homeport.server.cli import main
from homeport.server.cli.session import with_registry
from homeport.server.settings import load_settings

SCHEMA = {"type": "object", "properties": {"floor": {"type": "integer"}}}
HOSTILE = "=cmd|' /C calc'!A0 [red]{{7*7}}'; DROP TABLE devices; --"


@pytest.fixture
def operate(tmp_path, capsys):
    """Run a command on a platform with the devices EX-1 and EX-2 of acme."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)

    async def fill(tx):
        at = datetime(2026, 11, 23, tzinfo=UTC)
        await tx.tenants.add(Tenant(name="acme", title="Acme", default_upstream="x", added_at=at))
        for serial in ("EX-1", "EX-2"):
            await tx.devices.put(device(serial, tenant="acme", epoch=1))

    settings = load_settings(None, {"data": str(data)})
    with_registry(settings, lambda registry: registry.transact(fill))

    def run(*arguments, status=0):
        assert main([*map(str, arguments), "--data", str(data)]) == status
        return capsys.readouterr().out

    return run


def test_a_context_is_set_and_shown(operate):
    operate("device", "context", "set", "EX-1", "--name", HOSTILE, "--tag", "b", "--tag", "a",
            "--location", "Hall 2", "--position", "48.5,-11", "--attribute", "floor=2",
            "--attribute", "door=007")  # fmt: skip
    shown = json.loads(operate("device", "context", "show", "EX-1", "--json"))
    assert shown["name"] == HOSTILE
    assert shown["tags"] == ["a", "b"]
    assert shown["location"] == {"text": "Hall 2", "latitude": 48.5, "longitude": -11.0}
    assert shown["attributes"] == {"floor": 2, "door": "007"}
    text = operate("device", "context", "show", "EX-1")
    assert HOSTILE in text
    assert "Hall 2 (48.5, -11.0)" in text
    operate("device", "context", "set", "EX-1", "--name", "", "--patch", '{"tags": null}')
    shown = json.loads(operate("device", "context", "show", "EX-1", "--json"))
    assert (shown["name"], shown["tags"]) == ("", [])


def test_a_schema_is_set_and_a_misfit_shown(operate, tmp_path):
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    operate("device", "context", "set", "EX-1", "--attribute", "floor=ground")
    operate("model", "schema", "set", "gateway", f"@{file}", "--tenant", "acme")
    assert json.loads(operate("model", "schema", "show", "gateway", "--tenant", "acme")) == SCHEMA
    assert "floor is no integer" in operate("device", "context", "show", "EX-1")
    refused = operate("device", "context", "set", "EX-2", "--attribute", "floor=x", "--json",
                      status=1)  # fmt: skip
    assert json.loads(refused)["error"]["code"] == "attribute-misfit"


def test_settings_are_set_and_what_is_none_is_refused(operate):
    told = json.loads(operate("device", "twin", "set", "EX-1", '{"setpoint": 21}', "--json"))
    assert (told["version"], told["desired"], told["is_pushed"]) == (1, {"setpoint": 21}, False)
    operate("device", "twin", "set", "EX-1", '{"setpoint": 22}')
    assert '"setpoint": 22' in operate("device", "twin", "show", "EX-1")
    for wrong in ("[]", "{", "@/nowhere/at/all", '{"a":' * 5000):
        operate("device", "twin", "set", "EX-1", wrong, status=1)


def test_what_is_exported_is_imported_alike(operate, tmp_path):
    operate("device", "context", "set", "EX-1", "--name", HOSTILE, "--attribute", 'n="12"')
    operate("device", "context", "set", "EX-2", "--location", "Hall", "--attribute", "n=12")
    file, again = tmp_path / "contexts.csv", tmp_path / "again.csv"
    operate("device", "context", "export", "--tenant", "acme", "--output", file)
    assert ',"""=cmd' in file.read_text(), "no formula for a spreadsheet"
    report = operate("device", "context", "import", file, "--tenant", "acme", "--json")
    assert json.loads(report) == {"lines": 2, "changed": 0, "wrong": 0, "faults": []}
    for serial in ("EX-1", "EX-2"):
        operate("device", "context", "set", serial, "--patch",
                '{"name": null, "location": null, "attributes": null}')  # fmt: skip
    operate("device", "context", "import", file, "--tenant", "acme")
    operate("device", "context", "export", "--tenant", "acme", "--output", again)
    assert again.read_text() == file.read_text()


def test_wrong_lines_are_reported_in_a_file(operate, tmp_path):
    file, faults = tmp_path / "contexts.csv", tmp_path / "faults.csv"
    file.write_text("serial_number,name\nEX-1,Pump\nEX-9,[red]Who\n")
    options = ("--tenant", "acme", "--faults", faults)
    operate("device", "context", "import", file, *options, status=1)
    assert faults.read_text().splitlines() == ["line,reason", "3,acme has no device EX-9"]
    assert "would change" in operate("device", "context", "import", file, *options, "--dry-run")
    assert "1 device changed" in operate(
        "device", "context", "import", file, *options, "--good-lines"
    )
