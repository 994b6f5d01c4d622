# SPDX-License-Identifier: Apache-2.0
"""Enrolments and credentials."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.registry_suite import (
    LATER,
    NOW,
    credential,
    device,
    device_id,
    opened,
    run_of,
)
from homeport.domain.credential import CredentialState
from homeport.domain.enrolment import State
from homeport.errors import Code

__all__ = ["opened"]


def put(opened, *runs):
    async def verb(tx):
        for serial in {run.device.serial_number for run in runs}:
            await tx.devices.put(device(serial))
        for run in runs:
            await tx.enrolments.put(run)

    opened.do(verb)


def latest(opened):
    return opened.see(lambda tx: tx.enrolments.latest(device_id()))


@pytest.mark.parametrize("state", State)
def test_a_run_is_returned_as_it_was_put(opened, state):
    run = run_of(1, state, arrived_at=LATER, changed_at=LATER)
    put(opened, run, run_of(1, id="other", device=device_id("SN-0002")))
    assert latest(opened) == run
    assert opened.see(lambda tx: tx.enrolments.with_key(run.device, run.key_hash)) == run


def test_putting_a_run_again_replaces_it(opened):
    changed = run_of(
        1, State.ISSUED, request_id="again", epoch=2, changed_at=LATER, arrived_at=LATER
    )
    put(opened, run_of(1, State.PROVEN), changed)
    assert latest(opened) == changed


def test_a_device_without_runs_has_none(opened):
    opened.do(lambda tx: tx.devices.put(device()))
    assert latest(opened) is None
    assert opened.see(lambda tx: tx.enrolments.with_key(device_id(), "00")) is None
    assert not opened.see(lambda tx: tx.enrolments.candidates(device_id()))


def test_a_run_needs_its_device(opened):
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.enrolments.put(run_of(1)))


def test_a_device_has_one_run_for_a_key(opened):
    put(opened, run_of(1))
    second = replace(run_of(2), key_hash=run_of(1).key_hash)
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.enrolments.put(second))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([State.OPERATIONAL, State.AWAITING_DECISION], 0),
        ([State.OPERATIONAL, State.REFUSED], 0),
        ([State.SUPERSEDED, State.ISSUED], 1),
        (
            [State.OPERATIONAL, State.SUPERSEDED],
            0,
        ),  # its key came back and was accepted
        ([State.SUPERSEDED, State.SUPERSEDED], 1),
        ([State.SUPERSEDED, State.AWAITING_DECISION, State.REFUSED], 0),
        ([State.AWAITING_DECISION, State.REFUSED], 1),
        ([State.AWAITING_DECISION], 0),
        ([State.REVOKED, State.AWAITING_OWNER], 1),
        ([State.REVOKED, State.SUPERSEDED], 0),
    ],
)
def test_the_latest_run_is_the_last_that_is_no_candidate(opened, states, expected):
    runs = [run_of(number, state) for number, state in enumerate(states)]
    put(opened, *runs)
    assert latest(opened) == runs[expected]


def test_the_last_is_the_one_begun_last_not_the_one_changed_last(opened):
    first, second = run_of(1, State.ISSUED), run_of(2, State.ISSUED)
    put(opened, first, second, replace(first, changed_at=LATER))
    assert latest(opened) == second


def test_candidates_are_the_runs_that_await_a_decision_oldest_first(opened):
    runs = [run_of(number, State.AWAITING_DECISION) for number in (3, 1, 2)]
    foreign = run_of(5, State.AWAITING_DECISION, device=device_id("SN-0002"))
    put(opened, run_of(0), *runs, run_of(4, State.REFUSED), foreign)
    assert list(opened.see(lambda tx: tx.enrolments.candidates(device_id()))) == runs


def certify(opened, *credentials):
    put(opened, run_of(1), run_of(1, id="run-2", device=device_id("SN-0002")))

    async def verb(tx):
        for issued in credentials:
            await tx.credentials.put(issued)

    opened.do(verb)


def test_a_credential_is_returned_as_it_was_put(opened):
    revoked = credential(1, state=CredentialState.REVOKED, revoked_at=LATER)
    eternal = credential(2, not_after=NOW.replace(year=9999), serial_number=(1 << 160) - 1)
    certify(opened, revoked, eternal)
    assert opened.see(lambda tx: tx.credentials.get(revoked.fingerprint)) == revoked
    assert opened.see(lambda tx: tx.credentials.get(eternal.fingerprint)) == eternal
    assert opened.see(lambda tx: tx.credentials.get("00")) is None


def test_only_the_state_of_a_credential_changes(opened):
    issued = credential()
    revoked = replace(issued, state=CredentialState.REVOKED, revoked_at=LATER)
    certify(opened, issued, replace(revoked, certificate=b"forged", not_after=LATER, epoch=9))
    assert opened.see(lambda tx: tx.credentials.get(issued.fingerprint)) == revoked


def test_credentials_of_a_device_and_of_a_key_come_oldest_first(opened):
    first, second, third = (credential(number) for number in (9, 5, 7))
    foreign = credential(6, device=device_id("SN-0002"), enrolment="run-2")
    other_key = credential(8, key_hash="55" * 32)
    certify(opened, first, foreign, second, other_key, third)
    mine = opened.see(lambda tx: tx.credentials.of_device(device_id()))
    assert list(mine) == [first, second, other_key, third]
    same_key = opened.see(lambda tx: tx.credentials.of_key(first.key_hash))
    assert list(same_key) == [first, foreign, second, third]
    assert not opened.see(lambda tx: tx.credentials.of_key("00"))


def test_the_revoked_ones_are_listed_until_they_expire(opened):
    revoked = credential(1, state=CredentialState.REVOKED, revoked_at=NOW)
    replaced = credential(2, state=CredentialState.REPLACED)
    certify(opened, revoked, replaced, credential(3))
    expiry = revoked.not_after
    before = expiry - timedelta(microseconds=1)
    for now, expected in [(NOW, [revoked]), (before, [revoked]), (expiry, [])]:
        assert list(opened.see(lambda tx, now=now: tx.credentials.revoked(now))) == expected


def test_a_credential_needs_its_device_and_its_run(opened):
    opened.refuses(Code.NOT_FOUND, lambda tx: tx.credentials.put(credential()))
    put(opened, run_of(1))
    absent = credential(enrolment="never begun")
    opened.refuses(Code.NOT_FOUND, lambda tx: tx.credentials.put(absent))
