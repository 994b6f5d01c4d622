# SPDX-License-Identifier: Apache-2.0
"""What is asked for, before any check: a certificate as it would be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from homeport.ca.profiles import DOMAIN, LDEVID, SERVER, Profile
from homeport.domain.device import DeviceId
from homeport.keys import PublicKey
from homeport.pki.requests import ProvenCsr
from homeport.pki.subjects import (
    NAME_LIMIT,
    common_name,
    device_name,
    device_subject,
    platform_names,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A leaf certificate without number, issuer, validity and signature."""

    profile: Profile
    public_key: PublicKey
    subject: x509.Name
    alternative_names: x509.SubjectAlternativeName
    about: str
    """Whom it names, for the record: a device id, or host names."""
    now: datetime


def ldevid_draft(
    device: DeviceId, request: ProvenCsr, now: datetime, profile: Profile = LDEVID
) -> Draft:
    """Draft a device's operational identity; its key is proven by the type of the request."""
    name = str(device)
    return Draft(
        profile=profile,
        public_key=request.public_key,
        # For people. The URI is the whole id, and what programs read (X.520 limits this one).
        subject=device_subject(device.serial_number, name[:NAME_LIMIT]),
        alternative_names=device_name(name),
        about=name,
        now=now,
    )


def server_draft(public_key: PublicKey, names: Sequence[str], now: datetime) -> Draft:
    """Draft a TLS server certificate for host names and addresses, the first one being the name."""
    return _platform_draft(SERVER, public_key, names, now)


def domain_draft(public_key: PublicKey, names: Sequence[str], now: datetime) -> Draft:
    """Draft the certificate of the key that signs the platform's answers."""
    return _platform_draft(DOMAIN, public_key, names, now)


def _platform_draft(
    profile: Profile, public_key: PublicKey, names: Sequence[str], now: datetime
) -> Draft:
    return Draft(
        profile=profile,
        public_key=public_key,
        subject=common_name(names[0][:NAME_LIMIT]),
        alternative_names=platform_names(names),
        about=", ".join(names),
        now=now,
    )
