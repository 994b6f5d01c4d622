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

from homeport.errors import Code, HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import extension_of, parse_certificate, parse_intermediates
from homeport.pki.chains import build_path, check_leaf

MANIFEST_SIGNER: Final = x509.ObjectIdentifier("2.25.9404547564332052573376407435481608294")
"""Extended key usage: signs hand-over manifests and labels."""
VOUCHER_SIGNER: Final = x509.ObjectIdentifier("2.25.1421460630391568163590669371765401376")
"""Extended key usage: signs ownership vouchers."""


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
    check_leaf(leaf)
    usages = extension_of(leaf, x509.ExtendedKeyUsage)
    if usages is None or list(usages) != [usage]:
        raise _untrusted("the certificate is for another purpose")
    build_path(leaf, intermediates, store, leaf.not_valid_before_utc)
    return leaf


def _untrusted(detail: str) -> HomeportError:
    return HomeportError(Code.CHAIN_UNTRUSTED, detail)
