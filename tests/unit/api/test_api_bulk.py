# SPDX-License-Identifier: Apache-2.0
"""Many devices at once: each with its own result, dry runs, and a report to go on from."""

import json
from typing import Any

import pytest

from contract.registry_suite import device, device_id, run_of
from fakes.people_door import OPERATOR, document, member
from homeport.api.client.bulk import Report, to_devices, to_filter
from homeport.api.wire.bulk import CHUNK_MAX
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role
from homeport.errors import Code, HomeportError

ENGINEER, ADMIN, FOREIGN = member(Role.ENGINEER), member(Role.ADMIN), member(Role.ADMIN, "bolt")
COUNT = 5


def name(number):
    return str(device_id(f"EX-{number}"))


@pytest.fixture
def fleet(door):
    """EX-1 to EX-5 of acme work, but for EX-4, which was never seen; EX-6 is bolt's."""

    async def fill(tx):
        for number in range(1, COUNT + 2):
            tenant = "acme" if number <= COUNT else "bolt"
            known = device(
                f"EX-{number}",
                tenant=tenant,
                upstream="here",
                epoch=1,
                ownership=Ownership.OWNED,
            )
            await tx.devices.put(known)
            if number != 4:
                await tx.enrolments.put(run_of(number, device=known.id))

    door.runner.run(door.registry.transact(fill))
    return door


def results(answer):
    return {each["device"]: each["result"] for each in document(answer)["items"]}


def operate(door, caller=ENGINEER, **said):
    return door.ask("POST", "/bulk/operate", caller, said={"action": "rekey", **said})


def test_one_that_is_refused_stops_no_other(fleet):
    answer = operate(fleet, devices=[name(1), name(4), name(2), name(1)])
    assert results(answer) == {name(1): "done", name(4): "refused", name(2): "done"}
    refused = document(answer)["items"][1]
    assert refused["code"] == "transition-illegal"
    assert "EX-4" in refused["detail"]
    assert len(fleet.registry.rows.commands) == 2


def test_a_dry_run_says_it_all_and_does_nothing(fleet):
    before = fleet.registry.rows
    answer = operate(fleet, devices=[name(1), name(4)], dry_run=True)
    assert results(answer) == {name(1): "would-be-done", name(4): "refused"}
    assert fleet.registry.rows == before


@pytest.mark.parametrize(
    ("caller", "status"), [(FOREIGN, 404), (member(Role.VIEWER), 403), (ENGINEER, 404)]
)
def test_whoever_names_what_is_not_theirs_gets_nothing(fleet, caller, status):
    before = fleet.registry.rows
    assert operate(fleet, caller, devices=[name(1), name(6)]).status == status
    assert fleet.registry.rows == before


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"devices": []},
        {"devices": [name(1)], "filter": {}},
        {"devices": ["x"] * (CHUNK_MAX + 1)},
    ],
)
def test_what_is_meant_must_be_said(fleet, said):
    assert operate(fleet, **said).status == 400


def test_a_filter_means_the_callers_devices(fleet):
    answer = operate(fleet, filter={"state": "operational"})
    assert set(results(answer)) == {name(number) for number in (1, 2, 3, 5)}
    assert operate(fleet, filter={"tenant": "bolt"}).status == 404
    everyone = operate(fleet, OPERATOR, filter={}, dry_run=True)
    assert set(results(everyone)) == {name(number) for number in range(1, COUNT + 2)}


def test_every_operation_is_one(fleet):
    one = [name(1)]
    for action in ("quarantine", "release", "revoke", "readmit"):
        assert results(operate(fleet, action=action, devices=one, reason="odd")) == {
            name(1): "done"
        }, action
    for number, action in ((2, "renew"), (3, "reset")):
        answer = operate(fleet, action=action, devices=[name(number)])
        assert results(answer) == {name(number): "done"}


def test_many_are_offered_taken_back_and_ended(fleet):
    def transfer(caller=ADMIN, **said):
        said = {"devices": [name(1), name(2)], **said}
        return fleet.ask("POST", "/bulk/transfer", caller, said=said)

    assert transfer(ENGINEER, action="decommission").status == 403
    for wrong in ({"action": "offer"}, {"action": "withdraw", "tenant": "bolt"}):
        assert transfer(**wrong).status == 400
    both = {name(1): "done", name(2): "done"}
    assert results(transfer(action="offer", tenant="bolt")) == both
    assert set(results(transfer(action="offer", tenant="bolt")).values()) == {"refused"}
    assert results(transfer(action="withdraw")) == both
    assert set(results(transfer(action="withdraw")).values()) == {"refused"}
    assert results(transfer(action="decommission")) == both


def poster(fleet, asked):
    def post(said):
        asked.append(said)
        return document(fleet.ask("POST", "/bulk/operate", ENGINEER, said=said))

    return post


def test_a_report_is_gone_on_from(fleet, tmp_path):
    path = tmp_path / "report.jsonl"
    asked: list[Any] = []
    said = {"action": "rekey"}
    names = [name(1), name(2), name(4)]
    first = list(to_devices(poster(fleet, asked), said | {"dry_run": True}, names, Report(path)))
    assert [each["result"] for each in first] == ["would-be-done", "would-be-done", "refused"]
    list(to_devices(poster(fleet, asked), said, names, Report(path)))
    with path.open("a") as file:
        file.write('{"device": "cut o')
    again = list(to_devices(poster(fleet, asked), said, [*names, name(3)], Report(path)))
    assert {each["device"] for each in again} == {name(4), name(3)}, "what is done is not asked"
    assert Report(path).done == {name(1), name(2), name(3)}


def test_a_filter_is_gone_on_from(fleet, tmp_path):
    path = tmp_path / "report.jsonl"
    asked: list[Any] = []
    pages: list[Any] = [{"items": [{"device": "a", "result": "done"}], "next": "a"}]

    def post(said):
        asked.append(said)
        if not pages:
            raise HomeportError(Code.PLATFORM_UNREACHABLE, "the line is cut")
        return pages.pop(0)

    with pytest.raises(HomeportError):
        list(to_filter(post, {"action": "rekey"}, {"model": "x"}, Report(path)))
    pages.append({"items": [{"device": "b", "result": "done"}], "next": None})
    assert len(list(to_filter(post, {"action": "rekey"}, {"model": "x"}, Report(path)))) == 1
    assert [each["after"] for each in asked] == [None, "a", "a"]
    assert Report(path).done == {"a", "b"}


@pytest.mark.parametrize("line", ["{", "[]", "1", '{"device": "a"}'])
def test_a_file_that_is_no_report_is_left_alone(tmp_path, line):
    path = tmp_path / "letter.txt"
    path.write_text(f"{line}\n")
    with pytest.raises(HomeportError) as failed:
        Report(path)
    assert failed.value.code is Code.STATE_CORRUPT
    assert path.read_text() == f"{line}\n"


def test_a_report_is_lines_of_json(tmp_path):
    path = tmp_path / "report.jsonl"
    Report(path).add([{"device": "a", "result": "refused", "code": "x", "detail": "ä"}], "z")
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [
        {"device": "a", "result": "refused", "code": "x", "detail": "ä"},
        {"after": "z"},
    ]
