# SPDX-License-Identifier: Apache-2.0
"""What is typed about devices after they arrived, and about people: said, refused, gone on with."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.factory_line import FactoryLine, line
from homeport.domain.enrolment import Enrolment, State
from homeport.provisioning.ports import Transaction
from homeport.storage.sqlite import SqliteRegistry
from integration.test_operator_commands import Operator, anchor, data, manifest, operator

NOW = datetime(2026, 11, 24, tzinfo=UTC)

__all__ = ["data", "line", "manifest", "operator"]  # fixtures


@pytest.fixture
def serials(operator: Operator, line: FactoryLine, manifest: Path) -> list[str]:
    """Three devices that belong to acme."""
    operator.asks("manifest", "import", manifest, "--anchor", anchor(line))
    for tenant in ("acme", "globex"):
        operator.asks("tenant", "add", tenant)
    known = [d["serial_number"] for d in operator.asks("device", "list")]
    for serial in known:
        operator.asks("device", "assign", serial, "--tenant", "acme")
    return sorted(known)


@pytest.fixture
def arrived(serials: list[str], data: Path) -> str:
    """One of them, as it stands when its first message was seen."""

    async def arrive(tx: Transaction) -> None:
        (device,) = await tx.devices.find(serials[0])
        run = Enrolment(
            id="1", device=device.id, state=State.OPERATIONAL, request_id="r", key_hash="k",
            epoch=device.epoch, started_at=NOW, changed_at=NOW, arrived_at=NOW,
        )  # fmt: skip
        await tx.enrolments.put(run)

    async def opened() -> None:
        async with SqliteRegistry(data / "registry.sqlite") as registry:
            await registry.transact(arrive)

    asyncio.run(opened())
    return serials[0]


def ownership(operator: Operator, serial: str) -> str:
    shown: str = operator.asks("device", "ownership", serial)["ownership"]
    return shown


def test_a_device_is_decommissioned_and_taken_back(operator: Operator, serials: list[str]) -> None:
    operator.asks("device", "decommission", serials[0])
    assert ownership(operator, serials[0]) == "decommissioned"
    assert operator.refused("device", "decommission", serials[0])["code"] == "transition-illegal"
    operator.asks("device", "recommission", serials[0], "--tenant", "acme")
    assert ownership(operator, serials[0]) == "owned"


def test_a_device_that_has_not_arrived_is_not_given_away(
    operator: Operator, serials: list[str]
) -> None:
    refused = operator.refused("transfer", "offer", serials[0], "--tenant", "globex")
    assert refused["code"] == "transition-illegal"
    assert "has not arrived" in refused["detail"]


def test_a_device_is_offered_to_a_tenant_and_the_offer_is_withdrawn(
    operator: Operator, arrived: str
) -> None:
    made = operator.asks("transfer", "offer", arrived, "--tenant", "globex")
    assert (made["seller"], made["buyer"], made["code"]) == ("acme", "globex", None)
    assert [o["state"] for o in operator.asks("transfer", "list")] == ["open"]
    assert operator.asks("transfer", "withdraw", made["id"])["state"] == "withdrawn"
    refused = operator.refused("transfer", "accept", made["id"], "--tenant", "globex")
    assert refused["advice"]


def test_a_code_for_a_device_is_kept_in_a_file_and_accepted_from_it(
    operator: Operator, arrived: str, tmp_path: Path
) -> None:
    kept = tmp_path / "code"
    made = operator.asks("transfer", "offer", arrived, "--output", kept)
    assert made["code"] is None
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    taken = operator.asks("transfer", "accept", "--tenant", "globex", "--code-file", kept)
    assert (taken["tenant"], taken["epoch"]) == ("globex", 2)
    assert taken["claim_code"]
    assert operator.refused("transfer", "accept", "--tenant", "acme", "--code-file", kept)


def test_a_secret_whose_file_is_there_already_is_shown_after_all(
    operator: Operator, arrived: str, tmp_path: Path
) -> None:
    (there := tmp_path / "code").write_text("mine")
    made = operator.asks("transfer", "offer", arrived, "--output", there)
    assert made["code"]
    assert there.read_text() == "mine"


def test_many_are_decommissioned_and_a_run_goes_on_where_it_was(
    operator: Operator, serials: list[str], tmp_path: Path
) -> None:
    names, report = tmp_path / "names", tmp_path / "report.jsonl"
    names.write_text("\n".join(serials[:2]))
    words = ("bulk", "decommission", "--file", names, "--report", report)
    dry = operator.asks(*words, "--dry-run")
    assert dry["came"] == {"would-be-done": 2}
    assert ownership(operator, serials[0]) == "owned"
    assert operator.asks(*words)["came"] == {"done": 2}
    assert len(report.read_text().splitlines()) == 2
    # Killed in the middle of a line: that device is asked about again, the other is not.
    first, second = report.read_text().splitlines()
    report.write_text(f"{first}\n{second[:20]}")
    names.write_text("\n".join(serials))
    code, out, _ = operator.types(*words, "--json")
    assert code == 1
    assert json.loads(out)["came"] == {"refused": 1, "done": 1}
    assert ownership(operator, serials[2]) == "decommissioned"


def test_many_by_a_filter(operator: Operator, serials: list[str]) -> None:
    done = operator.asks("bulk", "quarantine", "--tenant", "acme", "--reason", "recall")
    assert done["came"] == {"done": 3}
    shown = operator.asks("device", "show", serials[0])
    assert "recall" in json.dumps(shown)
    assert operator.asks("bulk", "release", "--search", serials[0])["came"] == {"done": 1}


def test_devices_are_listed_by_what_is_known_of_them(
    operator: Operator, serials: list[str]
) -> None:
    operator.asks("device", "context", "set", serials[1], "--name", "Pump 7", "--tag", "cellar")

    def found(*words: str) -> list[str]:
        return [each["serial_number"] for each in operator.asks("device", "list", *words)]

    assert found("--tenant", "acme") == found("--model", "EX-100") == serials
    assert found("--tenant", "globex") == found("--online") == []
    assert found("--search", serials[2]) == [serials[2]]
    assert found("--name", "pump") == found("--tag", "cellar") == [serials[1]]


@pytest.mark.parametrize(
    "words",
    [
        ("bulk", "renew"),
        ("bulk", "renew", "--tenant", "acme", "--file", "x"),
        ("transfer", "accept", "--tenant", "acme"),
        ("invitation", "add", "eve", "--tenant", "acme"),
        ("tenant", "set", "acme"),
    ],
)
def test_what_makes_no_sense_is_misuse(operator: Operator, words: tuple[str, ...]) -> None:
    assert operator.types(*words)[0] == 2


def test_an_unknown_device_in_a_list_is_named(
    operator: Operator, serials: list[str], tmp_path: Path
) -> None:
    (names := tmp_path / "names").write_text("EX-NONE\n")
    refused = operator.refused("bulk", "renew", "--file", names)
    assert (refused["code"], refused["detail"]) == ("device-unknown", "EX-NONE")


def test_people_are_invited_and_keys_made_and_ended(operator: Operator, tmp_path: Path) -> None:
    operator.asks("tenant", "add", "acme")
    made = operator.asks("invitation", "add", "eve", "--tenant", "acme", "--role", "engineer")
    assert made["code"]
    operator.asks("invitation", "revoke", made["id"], "--tenant", "acme")
    (invited,) = operator.asks("invitation", "list", "--tenant", "acme")
    assert (invited["name"], invited["settled"]) == ("eve", "revoked")
    key = operator.asks("key", "add", "erp", "--scope", "devices:read", "--tenant", "acme")
    assert key["token"].startswith(key["prefix"])
    operator.asks("key", "revoke", key["id"], "--tenant", "acme")
    (ended,) = operator.asks("key", "list", "--tenant", "acme")
    assert ended["revoked_at"]
    assert "token" not in ended
    assert operator.asks("member", "list", "acme") == []
    assert operator.refused("member", "remove", "acme", "eve")["code"] == "not-found"


def test_a_tenant_gets_another_title(operator: Operator) -> None:
    operator.asks("tenant", "add", "acme")
    changed = operator.asks("tenant", "set", "acme", "--title", "Acme & Sons")
    assert changed == {"name": "acme", "title": "Acme & Sons", "upstream": "here"}
