# SPDX-License-Identifier: Apache-2.0
"""Vouchers for devices of this factory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from homeport.artefacts.voucher import Voucher, idevid_issuer_of, issue_voucher
from homeport.errors import Code, HomeportError
from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import DeviceRecord
from homeport.factory.factory import Factory
from homeport.pki.certificates import der_of, parse_certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What the vouchers will say, the same for all devices."""

    domain_cert: x509.Certificate
    epoch: int
    created_on: datetime
    expires_on: datetime | None = None
    nonce: bytes | None = None


def issue_vouchers(
    factory: Factory, serial_numbers: Sequence[str], ownership: Ownership
) -> Mapping[str, bytes]:
    """Return a voucher for each serial number.

    Raise DEVICE_UNKNOWN if one was not minted here, SETTING_WRONG if a nonce is for several or
    the end is past.
    """
    if ownership.nonce is not None and len(serial_numbers) != 1:
        raise HomeportError(Code.SETTING_WRONG, "a nonce is of one device")
    expires_on = ownership.expires_on
    if expires_on is not None and expires_on <= ownership.created_on:
        raise HomeportError(Code.SETTING_WRONG, f"the end, {expires_on:%Y-%m-%d %H:%M}, is past")
    idevids = find_idevids(factory, serial_numbers)
    return {
        serial_number: issue_voucher(
            Voucher(
                serial_number=serial_number,
                pinned_domain_cert=der_of(ownership.domain_cert),
                epoch=ownership.epoch,
                created_on=ownership.created_on,
                expires_on=ownership.expires_on,
                nonce=ownership.nonce,
                idevid_issuer=idevid_issuer_of(parse_certificate(idevids[serial_number])),
            ),
            factory.voucher_key,
            factory.voucher_x5c,
        )
        for serial_number in serial_numbers
    }


def find_idevids(factory: Factory, serial_numbers: Sequence[str]) -> Mapping[str, bytes]:
    """Return the IDevIDs (DER) of devices; raise DEVICE_UNKNOWN if one was not minted here."""
    wanted = set(serial_numbers)
    found: dict[str, bytes] = {}
    for record in read_archive(factory.archive):
        if isinstance(record, DeviceRecord) and record.serial_number in wanted:
            found[record.serial_number] = record.idevid
    if missing := sorted(wanted - found.keys()):
        raise HomeportError(Code.DEVICE_UNKNOWN, f"not minted here: {', '.join(missing[:10])}")
    return found
