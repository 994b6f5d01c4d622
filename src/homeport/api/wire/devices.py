# SPDX-License-Identifier: Apache-2.0
"""Devices, what is decided about them, and what happened to them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from homeport.api.wire.model import Document, Name, Title
from homeport.domain.audit import Name as EventName
from homeport.domain.credential import CredentialState
from homeport.domain.enrolment import Fact
from homeport.domain.ownership import Ownership

KeyPrefix = Annotated[str, StringConstraints(pattern="^[0-9a-f]{1,64}$", max_length=64)]


class Device(Document):
    """A device, as it stands in lists."""

    id: str
    """Issuer authority and serial number in one; stands in paths and topics."""
    serial_number: str
    model: str
    hardware_identity: str
    """Where its key lives: file (for development only), pkcs11, tpm, external."""
    minted: bool
    """Whether a hand-over manifest has it; else it was only ever seen."""
    state: str
    """Of its enrolment; "registered" for one that never made contact."""
    missing: Fact | None
    """What it waits for."""
    tenant: str | None
    upstream: str | None
    epoch: int
    """Counts its owners; never runs backwards."""
    ownership: Ownership
    since: datetime
    """When it came into this state."""
    online: bool | None
    """Whether it is connected to this platform's broker; null: it never was."""
    online_since: datetime | None
    """When it came, or went."""
    quarantined: bool
    """Whether it may speak with the platform alone."""


class Candidate(Document):
    """A second key that asks for the device's identity."""

    key: str
    """SHA-256 of the key, hex."""
    since: datetime


class Credential(Document):
    """An operational certificate, issued under the present owner."""

    fingerprint: str
    """SHA-256 of the certificate, hex."""
    state: CredentialState
    not_after: datetime


class Quarantine(Document):
    """Why a device is in quarantine."""

    by: str
    reason: str
    since: datetime


class DeviceDetails(Device):
    """One device, with all that is known of it."""

    candidates: list[Candidate]
    credentials: list[Credential]
    """Oldest first."""
    advice: list[str]
    """What would let it go on, for each fact that is missing."""
    quarantine: Quarantine | None


class TimelineEvent(Document):
    """One fact of a device's timeline."""

    cursor: int
    at: datetime
    event: EventName
    actor: str
    story: str
    """The fact as a clause about the device."""
    facts: dict[str, str | int]


class Assignment(Document):
    """Whose a device is."""

    tenant: Name
    upstream: Name | None = None
    """Where it goes; null: the tenant's default."""


class Revocation(Document):
    """Why a device is revoked."""

    reason: Title = "revoked by a person"
    """For the timeline."""


class Decision(Document):
    """Which key is meant."""

    key: KeyPrefix | None = Field(default=None)
    """How its hash begins; needed where several wait."""
