# SPDX-License-Identifier: Apache-2.0
"""What is written down, as immutable records: `Saved` (goes with a reset) and `Lifetime` (stays).

Private keys are not in here, only where they are. Instants are seconds since 1970 UTC; octets are
base64 in the file.
"""

from msgspec import Struct

from homeport.agent.journey import State
from homeport.protocols.native.wire import Endpoint


class Platform(Struct, frozen=True, kw_only=True):
    """A platform that proved itself, and what will prove it again."""

    name: str
    """What its certificates must carry."""
    url: str
    """Base URL where it was reached."""
    addresses: tuple[str, ...] = ()
    """Where to connect instead of asking a resolver."""
    anchors: tuple[bytes, ...]
    """DER."""
    is_home: bool
    """Whether it is the manufacturer's, trusted without a voucher."""


class KeyRequested(Struct, frozen=True, kw_only=True):
    """An operational key that was, or is about to be, made and asked a certificate for."""

    request_id: str
    key: str
    """URI."""
    is_renewal: bool


class Credential(Struct, frozen=True, kw_only=True):
    """An LDevID, its key, and where to go with it."""

    device: str
    tenant: str
    upstream: str
    epoch: int
    certificate: tuple[bytes, ...]
    """LDevID and chain, DER."""
    not_before: int
    not_after: int
    renew_at: int
    key: str
    """URI."""
    endpoints: tuple[Endpoint, ...]
    topics: str
    """MQTT prefix."""
    platform: Platform
    """Who issued it and renews it."""


class Taken(Struct, frozen=True, kw_only=True):
    """A command of the platform that was taken up and not answered yet."""

    id: str
    order: str
    credential: str
    """Fingerprint of the LDevID that it is about: it is done when there is another."""


class Told(Struct, frozen=True, kw_only=True):
    """What the platform said last, while there is no certificate."""

    code: str
    """A code of the catalogue or a later version's; for a parked device the missing fact."""
    title: str
    advice: str
    at: int


class Saved(Struct, frozen=True, kw_only=True):
    """The agent's memory. A reset empties it."""

    format: int = 1
    journey: State = State.UNPROVISIONED
    since: int = 0
    """When that state was entered."""
    request: KeyRequested | None = None
    credential: Credential | None = None
    """The newest."""
    earlier: Credential | None = None
    """The one before, kept until the newest was accepted by the broker."""
    platform: Platform | None = None
    """Where a voucher sent us; None: the manufacturer's."""
    told: Told | None = None
    command: Taken | None = None
    answered: str = ""
    """Id of the last command that was answered: it may be heard again, and is not done again."""
    signed_time: int = 0
    """The latest time that a platform elsewhere signed: it must not outlive the owner."""
    retired: tuple[str, ...] = ()
    """URIs of keys that are no longer needed and still to be deleted."""


class Lifetime(Struct, frozen=True, kw_only=True):
    """What no reset erases."""

    format: int = 1
    epoch: int = 0
    """The highest ownership epoch seen: a former owner cannot come back."""
    signed_time: int = 0
    """The latest time that home signed: certificates that ended before it are worthless."""
    anchors: tuple[bytes, ...] = ()
    """The manufacturer's platform anchors, once rotated; none: those from the factory."""
