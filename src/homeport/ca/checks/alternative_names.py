# SPDX-License-Identifier: Apache-2.0
"""Somebody is named, and no DNS name is a wildcard.

RFC 5280 section 4.2.1.6: the subjectAltName is what programs compare. RFC 6125 section 7.2 on
wildcards: one stolen key would stand for every host below the name.
"""

from cryptography import x509

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError


def check_alternative_names(plan: Plan) -> None:
    """Raise PROFILE_REFUSED otherwise."""
    names = plan.draft.alternative_names
    hosts = names.get_values_for_type(x509.DNSName)
    if not hosts and len(names) == 0:
        raise HomeportError(Code.PROFILE_REFUSED, "a certificate without a name")
    for host in hosts:
        if "*" in host:
            raise HomeportError(Code.PROFILE_REFUSED, f"wildcard name {host}")
