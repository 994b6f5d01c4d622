# SPDX-License-Identifier: Apache-2.0
"""Device identities as IEEE 802.1AR-2018 (section 8) wants them: IDevIDs, made by the thousand.

Subject: model as common name, and the serial number. Validity: without end, because the identity
is for life. keyUsage: digitalSignature, critical. No basicConstraints: absent means not a CA.
"""

from datetime import datetime

from cryptography import x509

from homeport.keys import PrivateKey, PublicKey
from homeport.pki.authority import LEAF_KEY_USAGE, Issuer
from homeport.pki.certificates import der_of
from homeport.pki.names import NO_EXPIRY
from homeport.pki.subjects import HardwareModule, device_subject, hardware_name


class IdevIdMinter:
    """Makes IDevIDs under one issuer; what they share is built once."""

    def __init__(self, issuer_certificate: x509.Certificate, issuer_key: PrivateKey) -> None:
        """Take the IDevID issuer; raise SETTING_WRONG if key and certificate do not match."""
        self._issuer = Issuer(issuer_certificate, issuer_key)
        self._builder = (
            x509.CertificateBuilder()
            .not_valid_after(NO_EXPIRY)
            .add_extension(LEAF_KEY_USAGE, critical=True)
        )

    def mint(
        self,
        public_key: PublicKey,
        serial_number: str,
        model: str,
        not_before: datetime,
        hardware: HardwareModule | None = None,
    ) -> bytes:
        """Return one IDevID in DER.

        Raise PROFILE_REFUSED for names that do not fit, KEY_STORE_UNAVAILABLE if the issuer's
        token does not answer.
        """
        builder = (
            self._builder.subject_name(device_subject(serial_number, model))
            .public_key(public_key)
            .not_valid_before(not_before)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )
        if hardware is not None:
            builder = builder.add_extension(hardware_name(hardware), critical=False)
        return der_of(self._issuer.sign(builder))
