# SPDX-License-Identifier: Apache-2.0
"""Certificate chains (RFC 5280 section 6): whether a certificate leads to an anchor of ours.

`cryptography` builds and checks the path; what it is too strict or too lenient about for device
identities is said here:
- makers' CA certificates may lack keyUsage or mark basicConstraints as not critical; but cA must
  be true, and where keyUsage is present it must allow signing certificates;
- a leaf needs no subjectAltName, and may end in the year 9999; it must not be a CA, and its key
  must be of a kind that we use: RSA-1024, Ed25519 and P-521 would pass the library;
- an IDevID is for life and may outlive its issuers, so its chain is checked at the time of its
  making (802.1AR section 8.5), not now.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PublicKey
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    READ_ERRORS,
    authority_id,
    extension_of,
    parse_certificate,
    parse_intermediates,
    public_key_of,
)
from homeport.pki.issuers import CachedIssuer, IssuerCache, is_issued_by
from homeport.pki.names import DOMAIN_SIGNER

DEPTH_LIMIT: Final = 6
"""CA certificates above a leaf; makers use two or three."""

_LEAF_CRITICAL: Final = frozenset(
    {
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.BasicConstraints.oid,
    }
)
"""Critical extensions that we understand in a leaf (RFC 5280 section 4.2: refuse any other)."""


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A leaf that leads to one of our trust anchors. Only this file makes it."""

    leaf: x509.Certificate
    public_key: PublicKey
    issuer: x509.Certificate
    anchor: x509.Certificate
    authority_id: str


def verify_idevid(
    leaf: x509.Certificate,
    intermediates: Sequence[bytes],
    anchors: Anchors,
    cache: IssuerCache | None = None,
) -> VerifiedChain:
    """Check a device's identity: `leaf`, and the rest of its x5c in DER.

    With a cache, a chain seen before costs the signature on the leaf alone. Raise ISSUER_UNKNOWN
    if no anchor is named by the chain, CHAIN_UNTRUSTED if it does not hold, KEY_UNSUITABLE for a
    kind of key that is not allowed, MalformedError if a certificate cannot be read.
    """
    store = anchors.store(Purpose.IDEVID)
    public_key = check_leaf(leaf)
    usages = extension_of(leaf, x509.ExtendedKeyUsage)
    if usages is not None and DOMAIN_SIGNER in usages:
        raise _untrusted("a platform's certificate is not a device's identity")
    if cache is not None:
        known = cache.find(leaf, intermediates, anchors)
        if known is not None:
            return VerifiedChain(leaf, public_key, known.issuer, known.anchor, known.authority_id)
    parsed = parse_intermediates(intermediates)
    if not anchors.may_have_issued([leaf, *parsed]):
        raise HomeportError(Code.ISSUER_UNKNOWN, "no trust anchor has issued this chain")
    chain = build_path(leaf, parsed, store, leaf.not_valid_before_utc)
    verified = VerifiedChain(leaf, public_key, chain[1], chain[-1], authority_id(chain[-1]))
    if cache is not None:
        cache.remember(leaf, intermediates, anchors, CachedIssuer.of(chain[1:]))
    return verified


def verify_platform_signer(
    x5c: Sequence[bytes],
    anchors: Anchors,
    name: str,
    now: datetime | None,
    not_before: datetime | None = None,
) -> PublicKey:
    """Check the key that signs a platform's answers: chain, purpose, and the pinned name.

    `name` is the DNS name or IP address by which the platform is known. `now` is None where time
    is not trusted; then `not_before`, the latest time known to have passed, still refuses what
    expired before it. Raise PLATFORM_UNPROVEN, whatever is wrong.
    """
    try:
        first, *others = x5c
        leaf, intermediates = parse_certificate(first), parse_intermediates(others)
        store = anchors.store(Purpose.PLATFORM)
        public_key = check_leaf(leaf)
        _check_domain_signer(leaf, name)
        build_path(leaf, intermediates, store, now or leaf.not_valid_before_utc)
        if not_before is not None and leaf.not_valid_after_utc < not_before:
            raise _untrusted("expired")
    except (HomeportError, ValueError) as error:
        detail = getattr(error, "detail", "") or "no certificate"
        raise HomeportError(Code.PLATFORM_UNPROVEN, detail) from None
    return public_key


def verify_server(chain: Sequence[x509.Certificate], anchors: Anchors, now: datetime) -> None:
    """Check that a TLS server's chain leads to the anchors, or is one; raise CHAIN_UNTRUSTED.

    Names and purpose are the caller's.
    """
    if chain[0] not in anchors.certificates:
        build_path(chain[0], list(chain[1:]), anchors.store(Purpose.PLATFORM), now)


def verify_ldevid(leaf: x509.Certificate, issuers: Sequence[x509.Certificate]) -> x509.Certificate:
    """Check that one of our own issuers signed an LDevID, and return which.

    Time is not looked at: an expired LDevID may renew, and whether it may is the caller's rule.
    Raise CHAIN_UNTRUSTED, KEY_UNSUITABLE, MalformedError.
    """
    check_leaf(leaf)
    for issuer in issuers:
        if is_issued_by(leaf, issuer):
            return issuer
    raise _untrusted("not issued here")


def check_leaf(leaf: x509.Certificate) -> PublicKey:
    """Apply our own rules for leaves of any purpose, and return the key.

    Raise CHAIN_UNTRUSTED, KEY_UNSUITABLE, MalformedError.
    """
    public_key = public_key_of(leaf)
    try:
        extensions = leaf.extensions
    except READ_ERRORS as error:
        raise MalformedError(f"extensions: {error}", Code.CERTIFICATE_MALFORMED) from None
    if leaf.version is not x509.Version.v3:
        raise _untrusted("not an X.509 version 3 certificate")
    for extension in extensions:
        # By number and not by class: these classes are abstract, and asking costs a microsecond.
        oid = extension.oid
        if extension.critical and oid not in _LEAF_CRITICAL:
            raise _untrusted(f"critical extension {oid.dotted_string}")
        if oid == x509.BasicConstraints.oid and extension.value.ca:
            raise _untrusted("a CA is not a leaf")
        if oid == x509.KeyUsage.oid and not extension.value.digital_signature:
            raise _untrusted("keyUsage does not allow signatures")
    return public_key


def _check_domain_signer(leaf: x509.Certificate, name: str) -> None:
    usages = extension_of(leaf, x509.ExtendedKeyUsage)
    if usages is None or DOMAIN_SIGNER not in usages:
        raise _untrusted("the certificate is not for a platform's answers")
    names = extension_of(leaf, x509.SubjectAlternativeName)
    if names is None or not _is_named(names, name):
        raise _untrusted(f"the certificate is not for {name}")


def _is_named(names: x509.SubjectAlternativeName, name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        # No wildcards: a platform has one name, and devices pin it.
        wanted = name.rstrip(".").lower()
        return wanted in {found.lower() for found in names.get_values_for_type(x509.DNSName)}
    return address in names.get_values_for_type(x509.IPAddress)


def _is_ca(_policy: Policy, _certificate: x509.Certificate, value: x509.BasicConstraints) -> None:
    if not value.ca:
        raise ValueError("an issuer is not a CA")


def _may_sign_certificates(
    _policy: Policy, _certificate: x509.Certificate, value: x509.KeyUsage | None
) -> None:
    if value is not None and not value.key_cert_sign:
        raise ValueError("an issuer may not sign certificates")


_CA_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_ca)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
)
_LEAF_POLICY: Final = ExtensionPolicy.permit_all()
_POLICY: Final = (
    PolicyBuilder()
    .max_chain_depth(DEPTH_LIMIT)
    .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
)


def build_path(
    leaf: x509.Certificate,
    intermediates: list[x509.Certificate],
    store: Store,
    time: datetime,
) -> list[x509.Certificate]:
    """Return the path from the leaf to the anchor; raise CHAIN_UNTRUSTED."""
    try:
        verifier = _POLICY.store(store).time(time).build_client_verifier()
        chain = verifier.verify(leaf, intermediates).chain
    except (*READ_ERRORS, VerificationError) as error:
        # The library's words name certificates in full; the reason stands before them.
        raise _untrusted(str(error).split(" (encountered", maxsplit=1)[0]) from None
    if len(chain) < 2:  # noqa: PLR2004  (leaf and anchor)
        raise _untrusted("a trust anchor is not a leaf")
    return chain


def _untrusted(detail: str) -> HomeportError:
    return HomeportError(Code.CHAIN_UNTRUSTED, detail)
