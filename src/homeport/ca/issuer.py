# SPDX-License-Identifier: Apache-2.0
"""The CA for operational identities, in this process: implements `provisioning.ports.Issuer`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from homeport.ca.authority import CertificateAuthority
from homeport.ca.drafts import ldevid_draft
from homeport.ca.profiles import LDEVID, Profile
from homeport.domain.device import DeviceId
from homeport.pki.certificates import der_of
from homeport.pki.requests import ProvenCsr
from homeport.provisioning.ports import IssuedCertificate


class LocalIssuer:
    """Certifies devices' operational keys under one profile. Safe to use from several threads."""

    def __init__(self, authority: CertificateAuthority, profile: Profile = LDEVID) -> None:
        """Take the issuing CA."""
        self.authority: Final = authority
        self._profile = profile
        # The root is what the others verify with; sending it would prove nothing.
        self._chain = tuple(
            der_of(certificate)
            for certificate in authority.chain
            if certificate.issuer != certificate.subject
        )

    def issue(self, device: DeviceId, request: ProvenCsr, now: datetime) -> IssuedCertificate:
        """Certify the key for the device.

        Raise KEY_UNSUITABLE or PROFILE_REFUSED if a check fails, KEY_STORE_UNAVAILABLE if the CA's
        key does not answer.
        """
        authority = self.authority
        return authority.issue(authority.prepare(ldevid_draft(device, request, now, self._profile)))

    def chain(self) -> Sequence[bytes]:
        """The issuer's certificates as DER, leaf's issuer first, without the root."""
        return self._chain
