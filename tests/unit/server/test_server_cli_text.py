# SPDX-License-Identifier: Apache-2.0
"""What devices and factories call themselves is shown, and drives no terminal."""

from datetime import UTC, datetime

from homeport.broker.link import Message
from homeport.domain.device import Device, DeviceId
from homeport.domain.topics import Branch, Topic
from homeport.server.cli.device import Story, _tell
from homeport.server.cli.watching import _as_text

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
    _tell(Story(device, None, (), (), None, ()))
    shown = capsys.readouterr().out
    assert "\x1b]0;" not in shown
    assert "\\x1b]0;evil\\x07[red]EX-100" in shown
