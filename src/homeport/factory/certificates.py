# SPDX-License-Identifier: Apache-2.0
"""The certificates of the factory itself: two authorities that never stand in for each other.

IDevIDs: root, issuer below it, and the signer of manifests and labels below the issuer. Vouchers:
a root of their own and a signer. None of them ends: IDevIDs and what vouches for them are for life
(802.1AR section 8.5), and a root's key can then go offline after this.
"""

from datetime import datetime

from cryptography import x509

from homeport.keys import PrivateKey, PublicKey
from homeport.pki.authority import (
    LEAF_KEY_USAGE,
    Issuer,
    build_intermediate,
    build_root,
)
from homeport.pki.names import NO_EXPIRY
from homeport.pki.subjects import common_name


def make_root(key: PrivateKey, name: str, now: datetime) -> x509.Certificate:
    """Make a root for ever."""
    return build_root(key, name, now, years=None)


def make_issuer(issuer: Issuer, key: PublicKey, name: str, now: datetime) -> x509.Certificate:
    """Make an issuer of leaves below a root, for as long as the root."""
    return build_intermediate(issuer, key, name, now, years=None)


def make_signer(
    issuer: Issuer, key: PublicKey, name: str, usage: x509.ObjectIdentifier, now: datetime
) -> x509.Certificate:
    """Make the certificate of an artefact's signer: one usage, no serial number, no other name.

    Without a serial number it can never be taken for a device's identity.
    """
    return issuer.sign(
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .public_key(key)
        .not_valid_before(now)
        .not_valid_after(min(NO_EXPIRY, issuer.certificate.not_valid_after_utc))
        .add_extension(LEAF_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
