# SPDX-License-Identifier: Apache-2.0
"""What devices and factories call themselves is shown, and drives no terminal."""

from datetime import UTC, datetime

from fakes.in_loop import in_loop
from fakes.registry import FakeRegistry
from homeport.broker.link import Message
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device, DeviceId
from homeport.domain.topics import Branch, Topic
from homeport.server.cli.audit.timeline import SHOWN_MAX, Timeline, collapse, read_timeline
from homeport.server.cli.device import Story, _tell
from homeport.server.cli.watching import _as_text

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DEVICE = DeviceId("abcdefghijklmnop", "EX-1")


def test_a_payload_is_one_line():
    payload = b"1\n12:00:00  hp/acme/another/up/alarm  forged\x1b[2J"
    line = _as_text(Message(Topic("acme", DEVICE, Branch.UP, "t"), payload))
    assert line.isprintable()
    assert "forged" in line


def test_a_hostile_model_is_shown(capsys):
    device = Device(
        id=DEVICE,
        model="\x1b]0;evil\x07[red]EX-100",
        hardware_identity="pkcs11",
        minted=True,
        idevid_fingerprint=None,
        registered_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    _tell(Story(device, None, (), (), None, Timeline(0, ())))
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


@in_loop
async def test_of_a_long_timeline_the_newest_are_read_and_the_earlier_counted():
    registry = FakeRegistry()
    events = [
        AuditEvent(
            name=Name.DEVICE_READMITTED, at=NOW, actor="t", device=DEVICE, facts={"n": number}
        )
        for number in range(SHOWN_MAX + 250)
    ]
    await registry.transact(lambda tx: tx.audit.record(*events))
    timeline = await registry.read(lambda tx: read_timeline(tx, DEVICE))
    assert timeline.earlier == 250
    assert [event.facts["n"] for event in timeline.events] == list(range(250, SHOWN_MAX + 250))
