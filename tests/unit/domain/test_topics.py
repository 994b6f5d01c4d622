# SPDX-License-Identifier: Apache-2.0
"""Topics are built and parsed by one rule, and a device's rights end at its own."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.device import DeviceId
from homeport.domain.topics import (
    DESIRED,
    REPORTED,
    Branch,
    Topic,
    device_permissions,
    spoken_to_platform,
)
from homeport.errors import MalformedError

DEVICE = DeviceId("a" * 16, "EX.1 ä")
OTHER = DeviceId("a" * 16, "EX.1 äx")
CHANNEL = st.from_regex(r"[A-Za-z0-9_-]{1,9}(/[A-Za-z0-9_-]{1,9}){0,3}", fullmatch=True)


@given(CHANNEL, st.sampled_from([Branch.UP, Branch.DOWN]))
def test_reading_gives_back_what_was_built(channel: str, branch: Branch) -> None:
    topic = Topic("acme", DEVICE, branch, channel)
    assert Topic.parse(str(topic)) == topic
    assert Topic.parse_subject(topic.subject) == topic


@given(st.text(max_size=120))
def test_any_text_is_a_topic_or_malformed(text: str) -> None:
    for parse in (Topic.parse, Topic.parse_subject):
        with contextlib.suppress(MalformedError):
            parse(text)


@pytest.mark.parametrize("channel", ["a+", "#", "a//b", "a.b", "", "/a", "a/", "$x", "a/>", "*"])
def test_channels_with_a_meaning_for_the_broker_are_refused(channel: str) -> None:
    with pytest.raises(MalformedError):
        Topic("acme", DEVICE, Branch.UP, channel)


def matches(pattern: str, subject: str) -> bool:
    """NATS subject matching, written down from its documentation."""
    wanted, given_levels = pattern.split("."), subject.split(".")
    for index, level in enumerate(wanted):
        if level == ">":
            return len(given_levels) > index
        if index >= len(given_levels) or level not in ("*", given_levels[index]):
            return False
    return len(wanted) == len(given_levels)


def test_a_device_may_say_its_own_and_hear_its_own_and_nothing_else() -> None:
    rights = device_permissions("acme", DEVICE)
    mine = Topic("acme", DEVICE, Branch.UP, "t/1").subject
    state = Topic("acme", DEVICE, Branch.STATE).subject
    order = Topic("acme", DEVICE, Branch.DOWN, "set").subject
    reported = Topic("acme", DEVICE, Branch.TWIN, REPORTED).subject
    desired = Topic("acme", DEVICE, Branch.TWIN, DESIRED).subject
    foreign = [
        Topic("acme", OTHER, Branch.TWIN, REPORTED).subject,
        Topic("acme", OTHER, Branch.TWIN, DESIRED).subject,
        Topic("other", DEVICE, Branch.TWIN, REPORTED).subject,
        Topic("acme", OTHER, Branch.UP, "t").subject,
        Topic("acme", OTHER, Branch.STATE).subject,
        Topic("other", DEVICE, Branch.UP, "t").subject,
        "$MQTT.msgs.x",
        "$SYS.REQ.USER.AUTH",
        "_INBOX.x",
    ]
    result = Topic("acme", DEVICE, Branch.RESULT).subject
    command = Topic("acme", DEVICE, Branch.COMMAND).subject
    spoken, heard = (mine, state, result, reported), (order, command, desired)
    assert all(any(matches(p, s) for p in rights.publish) for s in spoken)
    assert all(any(matches(p, s) for p in rights.subscribe) for s in heard)
    assert not any(matches(p, s) for p in rights.publish for s in (*foreign, *heard))
    assert not any(matches(p, s) for p in rights.subscribe for s in (*foreign, *spoken))
    to_us = spoken_to_platform()
    assert [s for s in (*spoken, *heard) if any(matches(p, s) for p in to_us)] == [
        state,
        result,
        reported,
    ]


def test_in_quarantine_a_device_speaks_with_the_platform_alone() -> None:
    held = device_permissions("acme", DEVICE, is_held=True)
    assert held.publish == tuple(
        Topic("acme", DEVICE, branch).subject for branch in (Branch.STATE, Branch.RESULT)
    )
    assert held.subscribe == (Topic("acme", DEVICE, Branch.COMMAND).subject,)


@pytest.mark.parametrize("channel", ["", "other", "desired/x", "Desired"])
def test_a_twin_has_two_topics(channel: str) -> None:
    with pytest.raises(MalformedError):
        Topic("acme", DEVICE, Branch.TWIN, channel)
