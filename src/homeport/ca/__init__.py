# SPDX-License-Identifier: Apache-2.0
"""The only room that signs with a CA key: profiles, checks, tickets, revocation lists."""

from homeport.ca.authority import CertificateAuthority, Ticket
from homeport.ca.drafts import Draft
from homeport.ca.issuer import LocalIssuer
from homeport.ca.profiles import DOMAIN, LDEVID, SERVER, Profile
from homeport.ca.revocation import RevocationLists

__all__ = [
    "DOMAIN",
    "LDEVID",
    "SERVER",
    "CertificateAuthority",
    "Draft",
    "LocalIssuer",
    "Profile",
    "RevocationLists",
    "Ticket",
]
