# SPDX-License-Identifier: Apache-2.0
"""What the stencil writes is what `cryptography` would have written, byte for byte."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from homeport.ca.checks import Plan
from homeport.ca.drafts import Draft, ldevid_draft, server_draft
from homeport.ca.profiles import DOMAIN, LDEVID, SERVER
from homeport.ca.stencil import Seal, Stencil
from homeport.domain.device import DeviceId
from homeport.keys import CryptoKey, FileKey
from homeport.pki.authority import LEAF_KEY_USAGE, Issuer, build_root
from homeport.pki.requests import ProvenCsr

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEYS: list[CryptoKey] = [
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP384R1()),
    rsa.generate_private_key(65537, 2048),
]
ISSUERS = [
    Issuer(build_root(key, f"Issuer {number}", BEGIN, None), key)
    for number, key in enumerate(FileKey("file:/nowhere", key) for key in KEYS)
]
SERIAL_NUMBERS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20
)
INSTANTS = st.datetimes(datetime(1951, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


def planned(draft: Draft, not_before: datetime, not_after: datetime) -> Plan:
    return Plan(draft, not_before, not_after, not_before, not_after, ())


def both_ways(issuer: Issuer, plan: Plan, number: int) -> tuple[bytes, bytes]:
    """Return the same certificate, unsigned, by the stencil and by the library's builder."""
    draft = plan.draft
    identifier = x509.SubjectKeyIdentifier.from_public_key(draft.public_key)
    stencil = Stencil(issuer, Seal(issuer).algorithm, draft.profile.usage)
    built = (
        x509.CertificateBuilder()
        .issuer_name(issuer.name)
        .subject_name(draft.subject)
        .public_key(draft.public_key)
        .serial_number(number)
        .not_valid_before(plan.not_before)
        .not_valid_after(plan.not_after)
        .add_extension(issuer.key_identifier, critical=False)
        .add_extension(LEAF_KEY_USAGE, critical=True)
        .add_extension(draft.profile.usage, critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(draft.alternative_names, critical=False)
        .sign(issuer.crypto_key, issuer.hash)
    )
    return stencil.unsigned(plan, number, identifier), built.tbs_certificate_bytes


@given(
    issuer=st.sampled_from(ISSUERS),
    key=st.sampled_from([key.public_key() for key in KEYS]),
    serial_number=SERIAL_NUMBERS,
    number=st.integers(1, 2**159 - 1),
    validity=st.tuples(INSTANTS, INSTANTS).map(sorted),
)
def test_a_device_s_certificate(issuer, key, serial_number, number, validity):
    device = DeviceId("abcdefghijklmnop", serial_number)
    draft = ldevid_draft(device, ProvenCsr(key, b""), BEGIN, LDEVID)
    written, built = both_ways(issuer, planned(draft, *validity), number)
    assert written == built


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("profile", [SERVER, DOMAIN])
def test_the_platform_s_own(issuer, profile):
    draft = server_draft(KEYS[0].public_key(), ["a.example", "192.0.2.1", "b" * 60], BEGIN)
    named = Draft(
        profile=profile,
        public_key=draft.public_key,
        subject=draft.subject,
        alternative_names=draft.alternative_names,
        about=draft.about,
        now=draft.now,
    )
    written, built = both_ways(issuer, planned(named, BEGIN, BEGIN + timedelta(days=90)), 1)
    assert written == built


@pytest.mark.parametrize("issuer", ISSUERS)
def test_the_signature_holds(issuer):
    seal = Seal(issuer)
    draft = server_draft(KEYS[0].public_key(), ["a.example"], BEGIN)
    plan = planned(draft, BEGIN, BEGIN + timedelta(days=90))
    identifier = x509.SubjectKeyIdentifier.from_public_key(draft.public_key)
    unsigned = Stencil(issuer, seal.algorithm, SERVER.usage).unsigned(plan, 7, identifier)
    certificate = x509.load_der_x509_certificate(seal.sign(unsigned))
    certificate.verify_directly_issued_by(issuer.certificate)
    assert certificate.tbs_certificate_bytes == unsigned
