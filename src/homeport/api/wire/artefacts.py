# SPDX-License-Identifier: Apache-2.0
"""What factories hand over: their trust anchor, manifests, vouchers."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import StringConstraints

from homeport.api.wire.model import Document, Title

PEM_MAX: Final = 16 * 1024
"""Characters; a certificate has some 1,000."""

Pem = Annotated[str, StringConstraints(max_length=PEM_MAX)]


class NewAuthority(Document):
    """An issuer of device identities to trust."""

    name: Title
    """Of the manufacturer."""
    anchor: Pem
    """Its trust anchor for IDevIDs, PEM: compare the fingerprint by another way than mail."""


class Authority(Document):
    """A trusted issuer of device identities."""

    id: str
    """Stands before the serial number in the ids of its devices."""
    name: str
    fingerprint: str
    """SHA-256 of its trust anchor, hex."""
    trusted_at: datetime


class ManifestReport(Document):
    """What the import of a hand-over manifest did."""

    authority: str
    factory: str
    devices: int
    """In the manifest."""
    new: int
    """Not registered before."""


class VoucherReport(Document):
    """Where a voucher was filed."""

    device: str
    """Id of the device that it is for."""
    serial_number: str
    upstream: str
    """Where it lets the device go."""
