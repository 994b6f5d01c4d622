# SPDX-License-Identifier: Apache-2.0
"""The device's door: a device's first day, what it is told, and what is kept of strangers."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from fakes.native_platform import NativePlatform
from homeport.domain.audit import Name
from homeport.domain.enrolment import State
from homeport.errors import CATALOGUE, Code
from homeport.protocols.native.wire import (
    ENROL_PATH,
    GREETING_PATH,
    RENEW_PATH,
    Enrolled,
    Parked,
    read_greeting,
    read_problem,
)
from homeport.provisioning import decide
from homeport.provisioning.revoke import revoke
from tools.vectors_native import bad_identities, bad_payloads, bad_signatures
from tools.vectors_native.draft import Draft
from tools.vectors_native.identities import Identity, device_name, leaf, p256

PROOF_FAULTS = [
    recipe for module in (bad_signatures, bad_identities, bad_payloads) for recipe in module.BAD.all
]


def run(story: Callable[[NativePlatform], Awaitable[None]], **limits: int) -> NativePlatform:
    """Play a story at a platform with two tenants."""

    async def play() -> NativePlatform:
        platform = await NativePlatform(**limits).begin()
        await story(platform)
        return platform

    return asyncio.run(play())


def again(draft: Draft, platform: NativePlatform, **payload: object) -> bytes:
    """The same request once more, with a new nonce of platform and device."""
    fresh = platform.scene.enrol(draft.signer).payload
    assert isinstance(fresh, dict)
    assert isinstance(draft.payload, dict)
    payload = {"device_nonce": fresh["device_nonce"], **payload}
    return draft.with_header(nonce=platform.scene.nonce()).with_payload(**payload).body()


async def enrolled(platform: NativePlatform, draft: Draft) -> Enrolled:
    answer = platform.answer(await platform.enrol(draft.body()))
    assert isinstance(answer, Enrolled)
    return answer


def test_the_greeting_says_who_the_platform_is():
    async def story(platform):
        response = await platform.greet()
        assert response.status == 200
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        greeting = read_greeting(response.body)
        assert (greeting.homeport, greeting.name) == (1, "platform.example")
        assert greeting.enrol == platform.scene.url + ENROL_PATH
        assert greeting.renew == platform.scene.url + RENEW_PATH
        assert greeting.time == int(platform.clock.now().timestamp())
        again = read_greeting((await platform.greet()).body)
        assert again.nonce != greeting.nonce
        draft = platform.scene.enrol().with_header(nonce=greeting.nonce)
        assert isinstance(platform.answer(await platform.enrol(draft.body())), Parked)

    run(story)


def test_a_sold_device_is_enrolled_at_once():
    async def story(platform):
        scene = platform.scene
        await platform.sell(scene.device)
        key = p256()
        draft = scene.enrol(key=key)
        response = await platform.enrol(draft.body())
        assert response.headers["content-type"] == "application/jose+json"
        answer = platform.answer(response)
        assert isinstance(answer, Enrolled)
        assert answer.device == str(platform.device_id(scene.device))
        assert answer.device_nonce == b64decode(str(draft.payload["device_nonce"]))
        ldevid = x509.load_der_x509_certificate(answer.certificate[0])
        issuer = x509.load_der_x509_certificate(answer.certificate[1])
        ldevid.verify_directly_issued_by(issuer)
        assert ldevid.public_key() == key.public_key()
        story = [event.name for event in await platform.timeline(scene.device)]
        assert story == [
            Name.DEVICE_REGISTERED,
            Name.ENROLMENT_STARTED,
            Name.DEVICE_ASSIGNED,
            Name.CREDENTIAL_ISSUED,
        ]
        assert [name for name, _ in platform.noted] == [State.ISSUED]

    run(story)


def test_a_repeated_request_gets_the_same_certificate():
    async def story(platform):
        await platform.sell(platform.scene.device)
        draft = platform.scene.enrol()
        first = await enrolled(platform, draft)
        second = platform.answer(await platform.enrol(again(draft, platform)))
        assert isinstance(second, Enrolled)
        assert second.certificate == first.certificate
        assert second.request_hash != first.request_hash
        replayed = platform.answer(await platform.enrol(draft.body()))
        assert isinstance(replayed, Enrolled)
        assert replayed.certificate == first.certificate
        assert len(platform.registry.rows.credentials) == 1

    run(story)


def test_a_device_without_owner_is_parked_and_its_nonce_is_good():
    async def story(platform):
        draft = platform.scene.enrol()
        answer = platform.answer(await platform.enrol(draft.body()))
        assert isinstance(answer, Parked)
        assert answer.missing == "owner"
        platform.scene.nonce = lambda: answer.nonce
        await platform.sell(platform.scene.device)
        assert isinstance(platform.answer(await platform.enrol(again(draft, platform))), Enrolled)

    run(story)


def test_a_long_poll_ends_within_a_second_of_the_sale():
    async def story(platform):
        draft = platform.scene.enrol().with_payload(wait=30)
        async with platform.trail(), asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(platform.enrol(draft.body()))
            await platform.until_somebody_waits()
            await asyncio.sleep(0)
            assert not polling.done()
            sold = time.monotonic()
            await platform.sell(platform.scene.device)
            answer = platform.answer(await polling)
            assert time.monotonic() - sold < 1
        assert isinstance(answer, Enrolled)
        assert len(platform.waiting) == 0

    run(story)


def test_a_long_poll_ends_when_its_time_is_over():
    async def story(platform):
        began = time.monotonic()
        body = platform.scene.enrol().with_payload(wait=1).body()
        assert isinstance(platform.answer(await platform.enrol(body)), Parked)
        assert 0.9 < time.monotonic() - began < 5
        assert len(platform.waiting) == 0

    run(story)


def test_news_of_another_kind_does_not_end_a_long_poll():
    async def story(platform):
        device = platform.device_id(platform.scene.device)
        body = platform.scene.enrol().with_payload(wait=30).body()
        async with asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(platform.enrol(body))
            await platform.until_somebody_waits()
            for _ in range(5):
                platform.waiting.wake(device)
                await asyncio.sleep(0)
            assert not polling.done()
            await platform.sell(platform.scene.device)
            platform.waiting.wake(device)
            assert isinstance(platform.answer(await polling), Enrolled)

    run(story)


def test_a_device_that_hangs_up_is_no_longer_waited_for():
    async def story(platform):
        body = platform.scene.enrol().with_payload(wait=30).body()
        async with asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(platform.enrol(body))
            await platform.until_somebody_waits()
            polling.cancel()
        assert len(platform.waiting) == 0

    run(story)


def test_a_second_key_waits_for_a_decision_and_the_first_goes_on():
    async def story(platform):
        await platform.sell(platform.scene.device)
        first = platform.scene.enrol()
        before = await enrolled(platform, first)
        second = platform.scene.enrol().with_payload(wait=30)
        async with platform.trail(), asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(platform.enrol(second.body()))
            await platform.until_somebody_waits()
            parked = platform.answer(await platform.enrol(again(second, platform, wait=0)))
            assert isinstance(parked, Parked)
            assert parked.missing == "decision"
            still = platform.answer(await platform.enrol(again(first, platform)))
            assert isinstance(still, Enrolled)
            assert still.certificate == before.certificate
            await decided(platform, decide.accept)
            answer = platform.answer(await polling)
        assert isinstance(answer, Enrolled)
        assert answer.certificate != before.certificate
        refused = await platform.enrol(again(first, platform))
        assert refused.json()["code"] == Code.KEY_REVOKED

    run(story)


async def decided(platform: NativePlatform, verb: Callable[..., Awaitable[object]]) -> None:
    device = platform.device_id(platform.scene.device)

    async def decision(tx):
        known = await tx.devices.get(device)
        await verb(tx, known, actor="anna", now=platform.clock.now())

    await platform.verb(decision)


def test_a_refusal_is_told_shortly_and_kept_wholly():
    async def story(platform):
        await platform.sell(platform.scene.device)
        draft = platform.scene.enrol()
        await enrolled(platform, draft)
        await decided(platform, lambda tx, device, **by: revoke(tx, device, "stolen", **by))
        response = await platform.enrol(again(draft, platform))
        assert response.status == 403
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert problem == {
            "type": "urn:homeport:error:credential-revoked",
            "title": CATALOGUE[Code.CREDENTIAL_REVOKED].title,
            "status": 403,
            "code": "credential-revoked",
            "advice": CATALOGUE[Code.CREDENTIAL_REVOKED].advice,
        }
        last = (await platform.timeline(platform.scene.device))[-1]
        assert last.name is Name.ENROLMENT_REFUSED
        assert last.facts["code"] == Code.CREDENTIAL_REVOKED
        assert last.facts["detail"] == "the device was revoked and not readmitted"
        assert last.facts["peer"] == "192.0.2.7"
        assert platform.noted[-1][0] == "refused"

    run(story)


def test_one_key_for_two_devices_is_refused():
    async def story(platform):
        scene, key = platform.scene, p256()
        other = scene.maker.device()
        for device in (scene.device, other):
            await platform.sell(device)
        await enrolled(platform, scene.enrol(key=key))
        response = await platform.enrol(scene.enrol(other, key=key).body())
        assert (response.status, response.json()["code"]) == (403, Code.KEY_TAKEN)
        assert str(platform.device_id(scene.device)) not in response.body.decode()
        assert (await platform.timeline(other))[-1].name is Name.ENROLMENT_REFUSED

    run(story)


def test_another_idevid_of_a_known_device_is_refused():
    """Two certificates with one serial number: the issuer made a copy, or was robbed."""

    async def story(platform):
        scene = platform.scene
        await platform.sell(scene.device)
        await enrolled(platform, scene.enrol())
        copy = replace_number(platform, scene.device)
        response = await platform.enrol(scene.enrol(copy).body())
        assert (response.status, response.json()["code"]) == (409, Code.DEVICE_CONFLICT)
        assert (await platform.timeline(scene.device))[-1].name is Name.ENROLMENT_REFUSED

    run(story)


def replace_number(platform: NativePlatform, device: Identity) -> Identity:
    """Another IDevID with the same serial number, by the same issuer."""
    return leaf(platform.scene.maker.issuer, device_name(device.serial_number))


@pytest.mark.parametrize("recipe", PROOF_FAULTS, ids=lambda recipe: recipe.name)
def test_an_unproven_request_leaves_no_row_and_tells_no_detail(recipe):
    async def story(platform):
        before = platform.registry.rows
        body = recipe.make(platform.scene)
        ask = platform.enrol if recipe.kind == "enrol" else platform.renew
        response = await ask(body)
        assert platform.registry.rows is before
        problem = read_problem(response.body)
        entry = CATALOGUE[recipe.code]
        assert (problem.code, problem.status) == (recipe.code, response.status)
        assert (problem.title, problem.advice) == (entry.title, entry.advice)
        assert response.json().keys() == {"type", "title", "status", "code", "advice"}
        assert platform.noted == []

    run(story)


def test_a_source_that_asks_too_fast_is_stopped():
    async def story(platform):
        for _ in range(3):
            assert (await platform.greet()).status == 200
        response = await platform.greet()
        assert response.status == 429
        assert response.json()["code"] == Code.TOO_MANY_REQUESTS
        assert int(response.headers["retry-after"]) >= 1
        other = await platform.ask("GET", GREETING_PATH, peer="192.0.2.8")
        assert other.status == 200
        platform.clock.turn(timedelta(seconds=int(response.headers["retry-after"])))
        assert (await platform.greet()).status == 200

    run(story, source_burst=3)


def test_a_source_that_asks_too_fast_is_not_even_read():
    async def story(platform):
        await platform.greet()

        async def receive():
            raise AssertionError

        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": ENROL_PATH, "headers": []}
        await platform.app({**scope, "client": ("192.0.2.7", 1)}, receive, send)
        assert sent[0]["status"] == 429

    run(story, source_burst=1)


def test_a_device_that_asks_too_fast_is_stopped_wherever_it_asks():
    async def story(platform):
        draft = platform.scene.enrol()
        statuses = [
            (await platform.enrol(again(draft, platform), peer=f"192.0.2.{n}")).status
            for n in range(4)
        ]
        assert statuses == [200, 200, 429, 429]
        other = platform.scene.enrol(platform.scene.maker.device())
        assert (await platform.enrol(other.body())).status == 200

    run(story, device_burst=2)


def test_who_cannot_prove_it_does_not_use_up_a_devices_rate():
    async def story(platform):
        thief = replace(platform.scene.device, key=p256())
        for _ in range(5):
            assert (await platform.enrol(platform.scene.enrol(thief).body())).status == 401
        assert (await platform.enrol(platform.scene.enrol().body())).status == 200

    run(story, device_burst=1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/.well-known/"),
        ("GET", "/.well-known/homeport/"),
        ("GET", ENROL_PATH),
        ("PUT", ENROL_PATH),
        ("GET", RENEW_PATH),
        ("POST", GREETING_PATH),
        ("HEAD", GREETING_PATH),
        ("POST", ENROL_PATH + "/"),
        ("POST", ENROL_PATH + "/../enrol"),
        ("POST", "/.well-known/homeport/ENROL"),
        ("GET", "/" + "a" * 5000),
    ],
)
def test_there_is_nothing_else(method, path):
    async def story(platform):
        response = await platform.ask(method, path)
        assert (response.status, response.json()["code"]) == (404, Code.NOT_FOUND)
        assert len(response.body) < 1000

    run(story)


def test_a_renewal_gets_a_new_certificate_for_the_same_device():
    async def story(platform):
        scene, key = platform.scene, p256()
        await platform.sell(scene.device)
        first = await enrolled(platform, scene.enrol(key=key))
        ldevid = Identity(key, first.certificate, scene.device.serial_number)
        platform.clock.turn(timedelta(days=60))
        draft = scene.renew(ldevid)
        second = platform.answer(await platform.renew(draft.body()))
        assert isinstance(second, Enrolled)
        assert (second.device, second.topics) == (first.device, first.topics)
        assert second.certificate[0] != first.certificate[0]
        assert second.renew_at > first.renew_at
        repeated = platform.answer(await platform.renew(draft.body()))
        assert isinstance(repeated, Enrolled)
        assert repeated.certificate == second.certificate

    run(story)


def test_renewals_with_one_certificate_after_the_other_are_one_devices():
    """Each renewed certificate renews again: a rate for each would be a rate without an end."""

    async def story(platform):
        scene, key = platform.scene, p256()
        await platform.sell(scene.device)
        first = await enrolled(platform, scene.enrol(key=key))
        statuses = []
        for _ in range(3):
            ldevid = Identity(key, first.certificate, scene.device.serial_number)
            renewal = scene.renew(ldevid)
            response = await platform.renew(renewal.body())
            statuses.append(response.status)
            if response.status == 200:
                first = platform.answer(response)
        assert statuses == [200, 429, 429]

    run(story, device_burst=2)


def test_an_expired_certificate_renews_within_the_grace_and_not_later():
    async def story(platform):
        scene, key = platform.scene, p256()
        await platform.sell(scene.device)
        first = await enrolled(platform, scene.enrol(key=key))
        ldevid = Identity(key, first.certificate, scene.device.serial_number)
        platform.clock.turn(timedelta(days=90 + 364))
        assert (await platform.renew(scene.renew(ldevid).body())).status == 200
        platform.clock.turn(timedelta(days=2))
        late = await platform.renew(scene.renew(ldevid).body())
        assert (late.status, late.json()["code"]) == (403, Code.CERTIFICATE_EXPIRED)

    run(story)


def test_a_revoked_certificate_does_not_renew():
    async def story(platform):
        scene, key = platform.scene, p256()
        await platform.sell(scene.device)
        first = await enrolled(platform, scene.enrol(key=key))
        await decided(platform, lambda tx, device, **by: revoke(tx, device, "stolen", **by))
        ldevid = Identity(key, first.certificate, scene.device.serial_number)
        response = await platform.renew(scene.renew(ldevid).body())
        assert (response.status, response.json()["code"]) == (403, Code.CREDENTIAL_REVOKED)

    run(story)


def test_a_certificate_of_our_issuer_that_the_registry_does_not_know_does_not_renew():
    """A registry restored from a backup, or a certificate that somebody signed with our key."""

    async def story(platform):
        response = await platform.renew(platform.scene.renew().body())
        assert (response.status, response.json()["code"]) == (401, Code.CHAIN_UNTRUSTED)

    run(story)
