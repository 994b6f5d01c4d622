# SPDX-License-Identifier: Apache-2.0
"""What is remembered of an operational certificate (LDevID), and whether it still counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from homeport.domain.device import DeviceId

RENEWAL_POINT: Final = 2 / 3
"""Share of the lifetime after which the agent renews: a third is left for bad networks."""


class CredentialState(StrEnum):
    """Whether the broker lets the holder in."""

    CURRENT = "current"
    REPLACED = "replaced"  # a newer one of the same device has been seen at the broker
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One issued LDevID."""

    fingerprint: str
    """SHA-256 of the certificate, hex: its name everywhere."""
    device: DeviceId
    enrolment: str
    request_id: str
    """The device's own id of the request that it answers."""
    key_hash: str
    """SHA-256 of the SubjectPublicKeyInfo, hex."""
    serial_number: int
    """Of the certificate, for the revocation list."""
    not_before: datetime
    not_after: datetime
    epoch: int
    """Ownership epoch under which it was issued."""
    certificate: bytes
    """DER."""
    state: CredentialState = CredentialState.CURRENT
    revoked_at: datetime | None = None

    def is_current(self, now: datetime) -> bool:
        """Say whether the broker would let its holder in: neither expired, replaced nor revoked."""
        return self.state is CredentialState.CURRENT and now < self.not_after

    def is_renewable(self, now: datetime, grace: timedelta) -> bool:
        """Unrevoked, and expired for no longer than the grace period."""
        return self.state is not CredentialState.REVOKED and now < self.not_after + grace


def renewal_time(not_before: datetime, not_after: datetime) -> datetime:
    """When the agent asks for the next certificate."""
    return not_before + (not_after - not_before) * RENEWAL_POINT
