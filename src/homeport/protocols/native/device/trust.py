# SPDX-License-Identifier: Apache-2.0
"""Which platform a device believes, and what it knows of the time [1, 6].

A platform is proven by trust anchors *for platforms* and by its pinned name; anchors for IDevIDs
and for vouchers are other types and cannot get here.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from homeport.errors import Code, HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import READ_ERRORS, der_of, parse_certificate

NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL; Python's `ssl` has no name for it."""


@dataclass(frozen=True, slots=True)
class PlatformTrust:
    """The name that a platform must carry, and the anchors that it must lead to."""

    name: str
    """DNS name or IP address, in lower case: of the TLS and of the domain certificate."""
    anchors: Anchors

    @classmethod
    def of(cls, name: str, ders: Sequence[bytes]) -> Self:
        """Take the anchors in DER; raise MalformedError."""
        certificates = [parse_certificate(der) for der in ders]
        return cls(name.lower(), Anchors(Purpose.PLATFORM, certificates))

    @property
    def ders(self) -> tuple[bytes, ...]:
        """The anchors in DER."""
        return tuple(der_of(certificate) for certificate in self.anchors.certificates)


@dataclass(frozen=True, slots=True)
class TimeSense:
    """What the device knows of the time."""

    floor: datetime
    """A time that has passed: the later of build time and last signed time."""
    now: datetime | None
    """The clock's time, or None where the clock cannot be right."""


def tls_context(trust: PlatformTrust, sense: TimeSense) -> ssl.SSLContext:
    """Make the context that verifies a platform: its anchors only, its name, TLS 1.2 or later.

    Without trusted time the dates are not looked at, everything else is. Raise PLATFORM_UNPROVEN
    if there is no usable anchor.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    # A voucher pins the owner's certificate itself, which need not be self-signed (RFC 8366, 5.3).
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if sense.now is None:
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    try:
        context.load_verify_locations(cadata=b"".join(trust.ders))
    except (ssl.SSLError, ValueError, *READ_ERRORS) as error:
        raise HomeportError(Code.PLATFORM_UNPROVEN, f"platform trust anchors: {error}") from None
    return context
