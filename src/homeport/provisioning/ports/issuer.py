# SPDX-License-Identifier: Apache-2.0
"""Whoever signs operational certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from homeport.domain.device import DeviceId
from homeport.pki.requests import ProvenCsr


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """What the CA made."""

    certificate: bytes
    """DER."""
    fingerprint: str
    serial_number: int
    not_before: datetime
    not_after: datetime


class Issuer(Protocol):
    """The CA for operational certificates: checks and signs as its profile says.

    Implemented by `homeport.ca`, which makes a ticket only after its checks and signs it once.
    """

    def issue(self, device: DeviceId, request: ProvenCsr, now: datetime) -> IssuedCertificate:
        """Certify the key for the device; HomeportError (refused) if the profile forbids it."""
        ...

    def chain(self) -> Sequence[bytes]:
        """The issuer's certificates as DER, leaf's issuer first, without the root."""
        ...
