# SPDX-License-Identifier: Apache-2.0
"""Proving requests, beyond the vectors: the order of the checks, anchors that change, the cache."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Prover
from tools.vectors_native import bad_identities, bad_payloads, bad_signatures
from tools.vectors_native.draft import ABSENT, as_json
from tools.vectors_native.identities import device_name, intermediate, leaf, p256, root
from tools.vectors_native.scene import own_scene

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SCENE, NONCES = own_scene(NOW)
ANCHORS = Anchors(Purpose.IDEVID, SCENE.maker.anchors)
PROVER = Prover(SCENE.url, Nonces(NONCES.key), [SCENE.platform.ldevid_issuer.certificate])


def prove(body: bytes, anchors: Anchors = ANCHORS, prover: Prover = PROVER, now=NOW):
    return prover.prove_enrolment(body, anchors, "192.0.2.7", now)


def code_of(body: bytes, anchors: Anchors = ANCHORS, prover: Prover = PROVER) -> Code:
    with pytest.raises(HomeportError) as caught:
        prove(body, anchors, prover)
    return caught.value.code


def test_what_is_proven_is_what_was_signed():
    enrolling = prove(SCENE.enrol().with_payload(epoch=2, wait=7).body())
    assert enrolling.proven.device.serial_number == SCENE.device.serial_number
    assert enrolling.proven.device.authority == SCENE.maker.root.id
    assert (enrolling.proven.epoch, enrolling.request.wait) == (2, 7)
    assert enrolling.proven.peer == "192.0.2.7"


def test_the_first_failure_is_the_answer():
    """Each body has all the faults of those after it; section 3.3 says which one counts."""
    wrong_number = {"serial_number": "EX-999999"}
    draft = SCENE.enrol().with_payload(**wrong_number)
    foreign = leaf(intermediate(root("Foreign"), "Foreign 1"), device_name("EX-000001"))
    forged = SCENE.enrol(foreign).with_payload(**wrong_number)
    parts = forged.with_header(url="https://rogue.example").parts()
    faults = [
        (as_json(parts) + b" " * 33_000, Code.TOO_LARGE),
        (as_json({**parts, "header": {}}), Code.JWS_MALFORMED),
        (forged.with_header(typ="x", url="u", nonce="n").body(), Code.JWS_MALFORMED),
        (forged.with_header(url="u", nonce="n").body(), Code.URL_WRONG),
        (forged.with_header(nonce="n").body(lambda _k, _d: b""), Code.NONCE_WRONG),
        (forged.body(lambda _k, _d: b""), Code.ISSUER_UNKNOWN),
        (draft.body(lambda _k, _d: b""), Code.SIGNATURE_WRONG),
        (draft.with_payload(csr="AAAA").body(), Code.SERIAL_NUMBER_MISMATCH),
        (draft.with_payload(csr=ABSENT).body(), Code.MALFORMED),
    ]
    assert [code_of(body) for body, _ in faults] == [code for _, code in faults]


def test_an_anchor_that_is_no_longer_trusted_counts_no_more():
    """Also for an issuer that is in the cache."""
    body = SCENE.enrol().body()
    prove(body)
    others = Anchors(Purpose.IDEVID, [root("Another").certificate])
    assert code_of(body, others) is Code.ISSUER_UNKNOWN
    prove(body)


def test_a_platform_without_anchors_knows_no_issuer():
    assert code_of(SCENE.enrol().body(), Anchors(Purpose.IDEVID, [])) is Code.ISSUER_UNKNOWN


@pytest.mark.parametrize("purpose", [Purpose.PLATFORM, Purpose.VOUCHER])
def test_anchors_for_another_purpose_prove_no_device(purpose):
    anchors = Anchors(purpose, SCENE.maker.anchors)
    assert code_of(SCENE.enrol().body(), anchors) is Code.CHAIN_UNTRUSTED


IDENTITY_FAULTS = [
    recipe for recipe in bad_identities.BAD.all if recipe.kind == "enrol" and recipe.is_live
]


@pytest.mark.parametrize("recipe", IDENTITY_FAULTS, ids=lambda recipe: recipe.name)
def test_a_known_issuer_forgives_nothing(recipe):
    """The cache has seen this maker's good devices before the bad one comes."""
    prover = Prover(SCENE.url, Nonces(NONCES.key), [])
    for issuer in (SCENE.maker.issuer, SCENE.maker.root):
        prove(SCENE.enrol(SCENE.maker.device(issuer)).body(), prover=prover)
    made = recipe.make(SCENE)
    assert isinstance(made, bytes)
    assert code_of(made, prover=prover) is recipe.code


def test_one_prover_serves_many_makers():
    other = own_scene(NOW)[0].maker
    both = Anchors(Purpose.IDEVID, [*SCENE.maker.anchors, *other.anchors])
    device = leaf(other.issuer, device_name(SCENE.device.serial_number))
    mine, theirs = prove(SCENE.enrol().body(), both), prove(SCENE.enrol(device).body(), both)
    assert mine.proven.device != theirs.proven.device
    assert mine.proven.device.serial_number == theirs.proven.device.serial_number


def test_a_renewal_knows_only_this_platforms_issuers():
    prover = Prover(SCENE.url, Nonces(NONCES.key), [])
    with pytest.raises(HomeportError) as caught:
        prover.prove_renewal(SCENE.renew().body(), "192.0.2.7", NOW)
    assert caught.value.code is Code.CHAIN_UNTRUSTED


def test_the_same_request_at_the_door_for_renewals_is_refused():
    with pytest.raises(HomeportError) as caught:
        PROVER.prove_renewal(SCENE.enrol().body(), "192.0.2.7", NOW)
    assert caught.value.code is Code.JWS_MALFORMED


@given(st.binary(max_size=300))
def test_any_octets_are_refused_by_name(data):
    assert code_of(data) in {Code.JWS_MALFORMED, Code.ALGORITHM_REFUSED}


BODY = SCENE.enrol(key=p256()).body()


@given(st.integers(0, len(BODY) - 1), st.integers(0, 255))
def test_no_octet_can_be_changed(place, octet):
    """Either it is refused, or it means the same (the blanks and escapes of JSON)."""
    altered = BODY[:place] + bytes([octet]) + BODY[place + 1 :]
    try:
        enrolling = prove(altered)
    except HomeportError:
        return
    assert enrolling.binding == prove(BODY).binding


def test_recipes_are_many():
    """The vectors lean on them."""
    modules = (bad_identities, bad_payloads, bad_signatures)
    assert sum(len(module.BAD.all) for module in modules) > 100
