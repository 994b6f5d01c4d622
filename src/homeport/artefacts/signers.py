# SPDX-License-Identifier: Apache-2.0
"""Who may sign an artefact: a certificate for that one purpose, under the right trust anchor.

Manifests, labels and vouchers are signed by keys whose certificates carry an extended key usage
of ours and nothing else, so that a device's identity (a leaf under the same anchor) can never sign
one. Both usages lie under 2.25, the arc for UUIDs (ITU-T X.667):
07133ffe-7a08-458d-945a-6a1b0a067066 and 0111c36b-8397-4f6a-9d18-ca546273a720.

Artefacts travel for years and are read without a clock: a chain is checked at the time its leaf
was made, as an IDevID's is (802.1AR section 8.5).
"""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    VerificationError,
)

from homeport.errors import Code, HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    READ_ERRORS,
    extension_of,
    parse_certificate,
    parse_intermediates,
    public_key_of,
)

MANIFEST_SIGNER: Final = x509.ObjectIdentifier("2.25.9404547564332052573376407435481608294")
"""Extended key usage: signs hand-over manifests and labels."""
VOUCHER_SIGNER: Final = x509.ObjectIdentifier("2.25.1421460630391568163590669371765401376")
"""Extended key usage: signs ownership vouchers."""

DEPTH_LIMIT: Final = 4
"""CA certificates above a signer; a factory has a root and an issuer below it."""


def verify_signer(
    x5c: Sequence[bytes], anchors: Anchors, purpose: Purpose, usage: x509.ObjectIdentifier
) -> x509.Certificate:
    """Check a signer's chain (DER, leaf first) for one purpose and usage; return its leaf.

    Raise CHAIN_UNTRUSTED, ISSUER_UNKNOWN, KEY_UNSUITABLE, or MalformedError for a certificate that
    cannot be read.
    """
    if not x5c:
        raise _untrusted("no certificate")
    store = anchors.store(purpose)
    leaf, intermediates = parse_certificate(x5c[0]), parse_intermediates(x5c[1:])
    _check_leaf(leaf, usage)
    verifier = _POLICY.store(store).time(leaf.not_valid_before_utc).build_client_verifier()
    try:
        verifier.verify(leaf, intermediates)
    except (*READ_ERRORS, VerificationError) as error:
        # The library's words name certificates in full; the reason stands before them.
        raise _untrusted(str(error).split(" (encountered", maxsplit=1)[0]) from None
    return leaf


def _check_leaf(leaf: x509.Certificate, usage: x509.ObjectIdentifier) -> None:
    public_key_of(leaf)
    constraints = extension_of(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise _untrusted("a CA is not a signer")
    allowed = extension_of(leaf, x509.KeyUsage)
    if allowed is not None and not allowed.digital_signature:
        raise _untrusted("keyUsage does not allow signatures")
    usages = extension_of(leaf, x509.ExtendedKeyUsage)
    if usages is None or list(usages) != [usage]:
        raise _untrusted("the certificate is for another purpose")


def _is_ca(_policy: Policy, _certificate: x509.Certificate, value: x509.BasicConstraints) -> None:
    if not value.ca:
        raise _untrusted("an issuer is not a CA")


def _may_sign_certificates(
    _policy: Policy, _certificate: x509.Certificate, value: x509.KeyUsage | None
) -> None:
    if value is not None and not value.key_cert_sign:
        raise _untrusted("an issuer may not sign certificates")


_POLICY: Final = (
    PolicyBuilder()
    .max_chain_depth(DEPTH_LIMIT)
    .extension_policies(
        # A manufacturer's own CA may lack keyUsage or mark basicConstraints as not critical.
        ca_policy=ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_ca)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates),
        ee_policy=ExtensionPolicy.permit_all(),
    )
)


def _untrusted(detail: str) -> HomeportError:
    return HomeportError(Code.CHAIN_UNTRUSTED, detail)
