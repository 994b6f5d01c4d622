# SPDX-License-Identifier: Apache-2.0
"""An issuer that numbers its certificates instead of signing them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from homeport.domain.device import DeviceId
from homeport.pki.requests import ProvenCsr
from homeport.provisioning.ports import IssuedCertificate


class FakeIssuer:
    """The port `Issuer`; remembers for whom it issued."""

    def __init__(self, lifetime: timedelta = timedelta(days=90)) -> None:
        self.issued: list[DeviceId] = []
        self._lifetime = lifetime
        self._numbers = count(1)

    def issue(self, device: DeviceId, request: ProvenCsr, now: datetime) -> IssuedCertificate:
        number = next(self._numbers)
        self.issued.append(device)
        certificate = f"certificate {number} of {device}".encode()
        return IssuedCertificate(
            certificate=certificate,
            fingerprint=hashlib.sha256(certificate).hexdigest(),
            serial_number=number,
            not_before=now,
            not_after=now + self._lifetime,
        )

    def chain(self) -> Sequence[bytes]:
        return (b"issuer",)
