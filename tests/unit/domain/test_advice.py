# SPDX-License-Identifier: Apache-2.0
"""Advice holds commands that people copy: a serial number must stay one word of them."""

import shlex
from datetime import UTC, datetime

import pytest

from homeport.domain.device import DeviceId
from homeport.domain.enrolment import Enrolment, Fact, State, advice_on, next_steps


@pytest.mark.parametrize("serial_number", ["EX-000017", "EX 17", "$(reboot)", "'; reboot #"])
def test_a_serial_number_is_one_word_of_the_command(serial_number):
    advice = advice_on(Fact.OWNER, DeviceId("abcdefghijklmnop", serial_number))
    command = advice[advice.index("homeport ") : advice.index(", or import")]
    words = ["homeport", "device", "assign", serial_number, "--tenant", "NAME"]
    assert shlex.split(command) == words


DEVICE = DeviceId("abcdefghijklmnop", "EX-1")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def run(state: State, key: str = "aa" * 32) -> Enrolment:
    return Enrolment(
        id="1", device=DEVICE, state=state, request_id="r", key_hash=key, epoch=1, started_at=NOW,
        changed_at=NOW,
    )  # fmt: skip


def second(key: str) -> Enrolment:
    return run(State.AWAITING_DECISION, key * 32)


def test_each_step_is_said_once_and_which_keys_wait():
    steps = next_steps(DEVICE, run(State.OPERATIONAL), [second("bb"), second("cc")])
    assert steps[0] == advice_on(Fact.DECISION, DEVICE)
    assert steps[1:] == [
        f"Several keys wait: say which one with --key, one of {'bb' * 8}, {'cc' * 8}."
    ]
    assert next_steps(DEVICE, second("bb"), [second("bb")]) == [advice_on(Fact.DECISION, DEVICE)]
    assert next_steps(DEVICE, run(State.AWAITING_OWNER), []) == [advice_on(Fact.OWNER, DEVICE)]


def test_nothing_is_to_be_done_for_what_works_or_was_never_seen():
    assert list(next_steps(DEVICE, run(State.OPERATIONAL), [])) == []
    assert list(next_steps(DEVICE, None, [])) == []


def test_a_revoked_device_is_readmitted_first():
    [step] = next_steps(DEVICE, run(State.REVOKED), [second("bb")])
    assert "homeport device readmit EX-1" in step
    assert "accept" not in step
