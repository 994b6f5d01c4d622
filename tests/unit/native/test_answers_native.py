# SPDX-License-Identifier: Apache-2.0
"""Answers: every state has one, bound to its request and signed by the domain key."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from cryptography import x509

from homeport.domain.credential import Credential
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import PARKED, Enrolment, Fact, State
from homeport.domain.ownership import Ownership
from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.errors import Code, HomeportError
from homeport.keys.algorithms import CryptoKey
from homeport.keys.file import FileKey
from homeport.pki import jws
from homeport.pki.certificates import public_key_of
from homeport.protocols.native.server.answers import Answers, Binding, Site
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.wire import (
    ANSWER_TYP,
    AnyAnswer,
    Endpoint,
    Enrolled,
    Parked,
    Redirect,
    read_answer,
)
from homeport.provisioning.enrolment.outcome import Outcome, Redirection
from tools.vectors_native.identities import DOMAIN_SIGNER
from tools.vectors_native.scene import PlatformKeys

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NONCES = Nonces(bytes(32))
DAY = timedelta(days=1)
DEVICE = DeviceId("a" * 16, "EX/17")
DOMAIN = PlatformKeys("platform.example").service(DOMAIN_SIGNER)
ENDPOINT = Endpoint(protocol="mqtt", host="platform.example", port=8883)
BINDING = Binding(device_nonce=bytes(range(16)), request_hash=bytes(range(32)))
SITE = Site(endpoints=(ENDPOINT,), anchors=(b"anchor",), issuer_chain=(b"issuer",))

KNOWN = Device(
    id=DEVICE,
    model="EX-100",
    hardware_identity="file",
    minted=True,
    idevid_fingerprint="1" * 64,
    tenant="acme",
    ownership=Ownership.OWNED,
    upstream="ours",
    epoch=1,
    registered_at=NOW,
)
CREDENTIAL = Credential(
    fingerprint="f" * 64,
    device=DEVICE,
    enrolment="run",
    request_id="r" * 16,
    key_hash="k",
    serial_number=1,
    not_before=NOW,
    not_after=NOW + 90 * DAY,
    epoch=1,
    certificate=b"certificate",
)
REDIRECTION = Redirection(
    Upstream(name="edge", kind=UpstreamKind.PLATFORM, url="https://edge.example", added_at=NOW),
    b"voucher",
    2,
)


DOMAIN_KEY = FileKey("memory", cast("CryptoKey", DOMAIN.key))
ANSWERS = Answers(SITE, jws.JwsSigner(DOMAIN_KEY, ANSWER_TYP, DOMAIN.chain))


def outcome(state: State, **parts: object) -> Outcome:
    run = Enrolment(
        id="run",
        device=DEVICE,
        state=state,
        request_id="r" * 16,
        key_hash="k",
        epoch=1,
        started_at=NOW,
        changed_at=NOW,
    )
    return Outcome(KNOWN, run, **parts)  # type: ignore[arg-type]


def verified(body: bytes) -> AnyAnswer:
    """Read an answer as a device would, by the leaf in its x5c."""
    signed = jws.parse(body)
    assert signed.header.typ == ANSWER_TYP
    assert signed.header.x5c == DOMAIN.chain
    leaf = x509.load_der_x509_certificate(DOMAIN.chain[0])
    return read_answer(jws.verify(signed, public_key_of(leaf)))


def answered(state: State, **parts: object) -> AnyAnswer:
    return verified(ANSWERS.to_outcome(outcome(state, **parts), BINDING, NONCES, NOW))


EXPECTED: dict[State, type | Code] = {
    State.PROVEN: Code.TRANSITION_ILLEGAL,
    State.AWAITING_OWNER: Parked,
    State.AWAITING_UPSTREAM: Parked,
    State.AWAITING_DECISION: Parked,
    State.ASSIGNED: Code.TRANSITION_ILLEGAL,
    State.ISSUED: Enrolled,
    State.REDIRECTED: Redirect,
    State.OPERATIONAL: Enrolled,
    State.SUPERSEDED: Code.KEY_REVOKED,
    State.REFUSED: Code.KEY_REVOKED,
    State.REVOKED: Code.CREDENTIAL_REVOKED,
}


def kind_of_answer(state: State) -> type | Code:
    try:
        return type(answered(state, credential=CREDENTIAL, redirection=REDIRECTION))
    except HomeportError as error:
        return error.code


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_answer(state):
    assert kind_of_answer(state) is EXPECTED[state]


@pytest.mark.parametrize("state", [s for s in State if isinstance(EXPECTED[s], type)])
def test_every_answer_is_bound_to_its_request_and_tells_the_time(state):
    answer = answered(state, credential=CREDENTIAL, redirection=REDIRECTION)
    assert answer.device_nonce == BINDING.device_nonce
    assert answer.request_hash == BINDING.request_hash
    assert answer.time == int(NOW.timestamp())
    assert answer.version == 1


@pytest.mark.parametrize("state", PARKED)
def test_a_parked_device_hears_what_is_missing_and_how_to_ask_again(state):
    answer = answered(state)
    assert isinstance(answer, Parked)
    assert answer.missing == PARKED[state]
    NONCES.check(answer.nonce, NOW)
    assert (answer.wait, answer.retry_after) == (30, 2)
    assert answer.detail


def test_what_is_missing_is_one_of_the_documented_words():
    assert {str(fact) for fact in Fact} == {"owner", "upstream", "decision"}


@pytest.mark.parametrize("state", [State.ISSUED, State.OPERATIONAL])
def test_an_enrolled_device_gets_everything_that_it_needs(state):
    answer = answered(state, credential=CREDENTIAL)
    assert isinstance(answer, Enrolled)
    assert answer.device == "a" * 16 + "-EX=2F17"
    assert answer.topics == f"hp/acme/{answer.device}"
    assert answer.certificate == (b"certificate", b"issuer")
    assert (answer.tenant, answer.upstream, answer.epoch) == ("acme", "ours", 1)
    assert (answer.endpoints, answer.anchors) == ((ENDPOINT,), (b"anchor",))
    assert answer.renew_at == int((NOW + 60 * DAY).timestamp())


def test_a_redirected_device_gets_the_address_and_the_voucher():
    answer = answered(State.REDIRECTED, redirection=REDIRECTION)
    assert isinstance(answer, Redirect)
    assert (answer.url, answer.voucher) == ("https://edge.example", b"voucher")


@pytest.mark.parametrize("state", [State.ISSUED, State.OPERATIONAL, State.REDIRECTED])
def test_half_an_outcome_is_never_signed(state):
    with pytest.raises(HomeportError) as caught:
        answered(state)
    assert caught.value.code is Code.TRANSITION_ILLEGAL


def test_a_renewal_is_answered_like_an_enrolment():
    body = ANSWERS.to_renewal(KNOWN, CREDENTIAL, BINDING, NOW)
    assert verified(body) == answered(State.ISSUED, credential=CREDENTIAL)


def test_an_altered_answer_does_not_verify():
    parts = json.loads(ANSWERS.to_outcome(outcome(State.AWAITING_OWNER), BINDING, NONCES, NOW))
    padded = parts["payload"] + "=" * (-len(parts["payload"]) % 4)
    assert b'"missing":"owner"' in b64decode(padded, altchars=b"-_")
    parts["payload"] = parts["payload"][:-4] + "AAAA"
    with pytest.raises(HomeportError) as caught:
        verified(json.dumps(parts).encode())
    assert caught.value.code is Code.SIGNATURE_WRONG
