# SPDX-License-Identifier: Apache-2.0
"""What devices and factories call themselves is shown, and drives no terminal."""

from datetime import UTC, datetime

from homeport.api.wire.devices import DeviceDetails, TimelineEvent
from homeport.broker.link import Message
from homeport.domain.audit import Name
from homeport.domain.device import DeviceId
from homeport.domain.ownership import Ownership
from homeport.domain.topics import Branch, Topic
from homeport.server.cli.device.look import _tell
from homeport.server.cli.device.timeline import SHOWN_MAX, Timeline, collapse, newest
from homeport.server.cli.watching import _as_text

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DEVICE = DeviceId("abcdefghijklmnop", "EX-1")


def test_a_payload_is_one_line():
    payload = b"1\n12:00:00  hp/acme/another/up/alarm  forged\x1b[2J"
    line = _as_text(Message(Topic("acme", DEVICE, Branch.UP, "t"), payload))
    assert line.isprintable()
    assert "forged" in line


def test_a_hostile_model_is_shown(capsys):
    device = DeviceDetails(
        id=str(DEVICE),
        serial_number="EX-1",
        model="\x1b]0;evil\x07[red]EX-100",
        hardware_identity="pkcs11",
        minted=True,
        state="registered",
        missing=None,
        tenant=None,
        upstream=None,
        epoch=0,
        ownership=Ownership.UNOWNED,
        since=NOW,
        online=None,
        online_since=None,
        candidates=[],
        credentials=[],
        advice=[],
        quarantined=False,
        quarantine=None,
    )
    _tell(device, Timeline(0, ()))
    shown = capsys.readouterr().out
    assert "\x1b]0;" not in shown
    assert "\\x1b]0;evil\\x07[red]EX-100" in shown


def test_what_happened_again_and_again_is_told_once():
    at = [datetime(2026, 11, 23, 12, minute, tzinfo=UTC) for minute in range(5)]
    told = ["came online", "was refused", "was refused", "was refused", "came online"]
    lines = list(collapse(zip(at, told, strict=True)))
    assert [str(line) for line in lines] == [
        "came online",
        "was refused (3 times, the last at 2026-11-23 12:03:00)",
        "came online",
    ]
    assert [line.at for line in lines] == [at[0], at[1], at[4]]


def test_of_a_long_timeline_the_newest_are_kept_and_the_earlier_counted():
    events = (
        TimelineEvent(
            cursor=number,
            at=NOW,
            event=Name.DEVICE_READMITTED,
            actor="t",
            story="may enrol again",
            facts={},
        )
        for number in range(SHOWN_MAX + 250)
    )
    timeline = newest(events)
    assert timeline.earlier == 250
    assert [event.cursor for event in timeline.events] == list(range(250, SHOWN_MAX + 250))
