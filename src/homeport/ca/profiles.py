# SPDX-License-Identifier: Apache-2.0
"""The rules for each kind of certificate that the platform's CAs issue.

A profile decides everything but names, key and time; a request decides nothing but its key.
docs/understand/ca.md shows them as a table.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509

from homeport.keys import SignatureAlgorithm
from homeport.pki.authority import CLIENT_USAGE, DOMAIN_SIGNER_USAGE, SERVER_USAGE

BACKDATE: Final = timedelta(minutes=5)
"""Before now begins the validity: a broker or edge whose clock is a little slow must not refuse a
device that comes straight from its enrolment. Devices themselves take their time from the signed
answer, so it need not cover theirs."""

LDEVID_LIFETIME: Final = timedelta(days=90)
"""Renewed at two thirds; a month is left for a site without network (product decision 5)."""

SERVICE_LIFETIME: Final = timedelta(days=90)
"""Of the platform's own certificates, which it renews by itself at two thirds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Rules for one kind of certificate. keyUsage is digitalSignature in all of them."""

    name: str
    lifetime: timedelta
    usage: x509.ExtendedKeyUsage
    algorithms: frozenset[SignatureAlgorithm]
    """Of the certified key: ES256 means P-256, ES384 P-384, PS256 RSA of 2048 to 4096 bits."""
    backdate: timedelta = BACKDATE


_ANY_KEY: Final = frozenset(SignatureAlgorithm)

LDEVID: Final = Profile(
    name="ldevid", lifetime=LDEVID_LIFETIME, usage=CLIENT_USAGE, algorithms=_ANY_KEY
)
SERVER: Final = Profile(
    name="server", lifetime=SERVICE_LIFETIME, usage=SERVER_USAGE, algorithms=_ANY_KEY
)
DOMAIN: Final = Profile(
    name="domain", lifetime=SERVICE_LIFETIME, usage=DOMAIN_SIGNER_USAGE, algorithms=_ANY_KEY
)
