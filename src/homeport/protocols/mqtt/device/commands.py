# SPDX-License-Identifier: Apache-2.0
"""Commands, as a device believes them: docs/protocols/mqtt.md, section 5.1.

Only the platform that issued the certificate in use can command: its anchors and name must prove
the signature, and the command must name this device and this certificate.
"""

from dataclasses import dataclass
from datetime import datetime

from homeport.errors import Code, HomeportError
from homeport.pki import jws
from homeport.pki.anchors import Anchors
from homeport.pki.chains import verify_platform_signer
from homeport.protocols.mqtt.commands import (
    COMMAND_MAX_BYTES,
    COMMAND_TYP,
    Command,
    read_command,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commander:
    """Who may command, and for which certificate."""

    name: str
    anchors: Anchors
    device: str
    credential: str
    """Fingerprint of the LDevID in use."""
    now: datetime | None
    """The clock's time, or None where the clock cannot be right."""
    floor: datetime
    """A time that has passed."""


def read_signed_command(body: bytes, commander: Commander) -> Command:
    """Verify a command and read it.

    Raise PLATFORM_UNPROVEN for a signature or signer that does not count, COMMAND_STALE for a
    command to another device or certificate, or whose time is over, MalformedError.
    """
    signed = jws.parse(body, limit=COMMAND_MAX_BYTES)
    if signed.header.typ != COMMAND_TYP or signed.header.x5c is None:
        raise HomeportError(Code.PLATFORM_UNPROVEN, "what was signed is no command")
    signer = verify_platform_signer(
        signed.header.x5c, commander.anchors, commander.name, commander.now, commander.floor
    )
    try:
        payload = jws.verify(signed, signer)
    except HomeportError as error:
        raise HomeportError(Code.PLATFORM_UNPROVEN, f"command: {error}") from None
    command = read_command(payload)
    if (command.device, command.credential) != (commander.device, commander.credential):
        raise HomeportError(Code.COMMAND_STALE, "it is for another certificate")
    if (commander.now or commander.floor).timestamp() >= command.expires:
        raise HomeportError(Code.COMMAND_STALE, "its time is over")
    return command
