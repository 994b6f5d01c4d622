# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from homeport.ca.checks import CHECKS, Plan
from homeport.ca.checks.rsa_close_primes import check_rsa_close_primes
from homeport.ca.checks.rsa_numbers import check_rsa_numbers
from homeport.ca.checks.rsa_roca import check_rsa_roca
from homeport.ca.drafts import Draft, ldevid_draft, server_draft
from homeport.ca.profiles import LDEVID
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.pki.requests import ProvenCsr
from homeport.pki.subjects import common_name, device_name

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
RSA_KEY = rsa.generate_private_key(65537, 2048)


def plan(key=EC_KEY, **changes):
    values = {
        "draft": ldevid_draft(DeviceId("a" * 16, "1"), ProvenCsr(key, b""), NOW),
        "not_before": NOW - timedelta(minutes=5),
        "not_after": NOW + timedelta(days=90),
        "ca_not_before": NOW - timedelta(days=365),
        "ca_not_after": NOW + timedelta(days=365),
        "ca_keys": (),
    }
    return Plan(**{**values, **changes})


def verdict(planned):
    try:
        for check in CHECKS:
            check(planned)
    except HomeportError as error:
        return error.code
    return None


def rsa_key(modulus, exponent=65537):
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def test_good_keys_pass():
    assert verdict(plan()) is None
    assert verdict(plan(RSA_KEY.public_key())) is None
    assert verdict(plan(ec.generate_private_key(ec.SECP384R1()).public_key())) is None


def test_the_key_of_a_ca_is_refused():
    assert verdict(plan(ca_keys=(EC_KEY,))) is Code.KEY_UNSUITABLE
    same = ec.EllipticCurvePublicNumbers(
        EC_KEY.public_numbers().x, EC_KEY.public_numbers().y, ec.SECP256R1()
    ).public_key()
    assert verdict(plan(same, ca_keys=(EC_KEY,))) is Code.KEY_UNSUITABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"not_after": NOW + timedelta(days=366)},
        {"not_before": NOW - timedelta(days=366)},
        {"not_after": NOW},
        {"not_before": NOW + timedelta(seconds=1)},
        {"ca_not_after": NOW},
        {"ca_not_before": NOW + timedelta(seconds=1)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_validity_outside_the_cas_is_refused(changes):
    assert verdict(plan(**changes)) is Code.PROFILE_REFUSED


def test_wildcards_and_the_nameless_are_refused():
    draft = server_draft(EC_KEY, ["*.example"], NOW)
    assert verdict(plan(draft=draft)) is Code.PROFILE_REFUSED
    nameless = Draft(
        profile=LDEVID,
        public_key=EC_KEY,
        subject=common_name("x"),
        alternative_names=x509.SubjectAlternativeName([]),
        about="",
        now=NOW,
    )
    assert verdict(plan(draft=nameless)) is Code.PROFILE_REFUSED


def test_a_profile_may_allow_fewer_keys():
    from dataclasses import replace

    from homeport.keys import SignatureAlgorithm

    strict = replace(LDEVID, algorithms=frozenset({SignatureAlgorithm.ES256}))
    draft = Draft(
        profile=strict,
        public_key=RSA_KEY.public_key(),
        subject=common_name("x"),
        alternative_names=device_name("x"),
        about="x",
        now=NOW,
    )
    assert verdict(plan(draft=draft)) is Code.KEY_UNSUITABLE


@pytest.mark.parametrize("exponent", [3, 65535, 2**256 + 1])
def test_unusual_rsa_exponents_are_refused(exponent):
    key = rsa_key(RSA_KEY.public_key().public_numbers().n, exponent)
    assert verdict(plan(key)) is Code.KEY_UNSUITABLE


@pytest.mark.parametrize("factor", [3, 751])
def test_rsa_with_a_small_factor_is_refused(factor):
    modulus = (2**2047 + 1) // factor * factor
    modulus += 0 if modulus % 2 else factor
    with pytest.raises(HomeportError):
        check_rsa_numbers(plan(rsa_key(modulus)))


def next_prime(number):
    number |= 1
    while pow(2, number - 1, number) != 1:
        number += 2
    return number


def test_rsa_with_close_primes_is_refused():
    first = next_prime(RSA_KEY.private_numbers().p)
    second = next_prime(first + 2**500)
    check_rsa_numbers(plan(rsa_key(first * second)))
    with pytest.raises(HomeportError):
        check_rsa_close_primes(plan(rsa_key(first * second)))
    check_rsa_close_primes(plan(RSA_KEY.public_key()))


def test_rsa_made_by_the_roca_library_is_refused():
    """Primes of its form: k*M + (65537^a mod M), M the product of the first 126 primes."""
    primes = [n for n in range(2, 702) if all(n % d for d in range(2, n))]
    product = 1
    for prime in primes:
        product *= prime
    assert len(primes) == 126

    def weak(start):
        return next(
            candidate
            for k in range(2**40 + start, 2**41)
            if pow(2, (candidate := k * product + pow(65537, start, product)) - 1, candidate) == 1
        )

    modulus = weak(1234) * weak(777)
    assert modulus.bit_length() > 1990
    with pytest.raises(HomeportError, match="ROCA"):
        check_rsa_roca(plan(rsa_key(modulus)))


def test_sound_rsa_keys_have_no_roca_fingerprint():
    for _ in range(5):
        check_rsa_roca(plan(rsa.generate_private_key(65537, 2048).public_key()))
