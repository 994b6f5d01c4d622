# SPDX-License-Identifier: Apache-2.0
"""The device's side of the native protocol: what it signs, what it reads, how it connects."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from fakes.awkward_platform import NAME, FakeFactory, FakePlatform
from fakes.connect_proxy import ConnectProxy
from homeport.errors import Code, HomeportError, Kind, MalformedError
from homeport.keys import FileKey, make_key, open_key
from homeport.keys.secret import Secret
from homeport.pki import jws
from homeport.pki.certificates import der_of, load_bundle
from homeport.pki.requests import build_request
from homeport.protocols.native.device import (
    DeviceFacts,
    KeyRequest,
    PlatformConnection,
    PlatformRefusalError,
    PlatformTrust,
    Proxy,
    Registering,
    Route,
    SignedRequest,
    Signer,
    TimeSense,
    build_enrol_request,
    build_register_request,
    build_renew_request,
    read_refusal,
    read_signed_answer,
)
from homeport.protocols.native.device import exchange as exchange_module
from homeport.protocols.native.wire import (
    ENROL_TYP,
    REGISTER_TYP,
    RENEW_TYP,
    Enrolled,
    NetworkFacts,
    Problem,
    encode,
    read_enrol_request,
    read_register_request,
    read_renew_request,
)

NOW = datetime.now(UTC)
SENSE = TimeSense(NOW - timedelta(days=1), NOW)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    with FakePlatform(directory / "platform") as platform:
        home = FakeFactory.make(directory / "factory").mint(directory / "device", platform)
        chain = tuple(der_of(c) for c in load_bundle((home / "idevid.pem").read_bytes()))
        idevid = Signer(open_key(f"file:{home}/idevid.key"), chain)
        operational = make_key(f"file:{directory}/ldevid.pem")
        asked = KeyRequest(
            request_id="r" * 32,
            csr=build_request(operational, "EX-000017"),
            epoch=4,
            agent="test/1",
        )
        yield platform, idevid, asked


@pytest.fixture
def platform(site):
    yield site[0]
    site[0].change(**vars(type(site[0].answering)()))


FACTS = DeviceFacts(
    serial_number="EX-000017", model="EX-100", network=NetworkFacts(interface="eth0")
)


def trust_of(platform):
    return PlatformTrust.of(NAME, [der_of(platform.authority.certificate)])


def connect(platform, *, route=None, sense=SENSE):
    port = int(platform.url.rpartition(":")[2])
    return PlatformConnection(route or Route("127.0.0.1", port), trust_of(platform), sense)


def request_for(site, greeting, wait=0):
    _, idevid, asked = site
    return build_enrol_request(
        idevid, FACTS, asked, url=greeting.enrol, nonce=greeting.nonce, wait=wait
    )


def test_an_enrolment_request_says_what_the_protocol_wants(site):
    _, idevid, asked = site
    request = build_enrol_request(idevid, FACTS, asked, url="https://p/e", nonce="n1", wait=30)
    signed = jws.parse(request.body)
    assert (signed.header.typ, signed.header.url, signed.header.nonce) == (
        ENROL_TYP, "https://p/e", "n1"
    )  # fmt: skip
    assert signed.header.x5c == idevid.chain
    payload = read_enrol_request(jws.verify(signed, idevid.key.public_key()))
    assert (payload.epoch, payload.wait, payload.device_nonce) == (4, 30, request.device_nonce)
    assert request.hash == signed.hash()


def test_no_two_requests_have_the_same_nonce(site):
    _, idevid, asked = site
    made = [build_enrol_request(idevid, FACTS, asked, url="u", nonce="n") for _ in range(20)]
    assert len({request.device_nonce for request in made}) == 20


def test_a_renewal_is_signed_for_another_purpose(site):
    _, idevid, asked = site
    signed = jws.parse(build_renew_request(idevid, asked, url="u", nonce="n").body)
    assert signed.header.typ == RENEW_TYP
    assert read_renew_request(jws.verify(signed, idevid.key.public_key())).csr == asked.csr


REGISTERING = Registering(
    serial_number="EX-000017",
    model="EX-100",
    tenant="acme",
    dpp_key_hash=bytes(range(32)),
    pressed=True,
)


def test_what_is_registered_is_signed_for_one_tenant(site):
    _, idevid, asked = site
    request = build_register_request(idevid, REGISTERING, asked, url="https://p/r", nonce="n1")
    signed = jws.parse(request.body)
    assert (signed.header.typ, signed.header.url, signed.header.nonce) == (
        REGISTER_TYP, "https://p/r", "n1"
    )  # fmt: skip
    assert signed.header.x5c == idevid.chain
    payload = read_register_request(jws.verify(signed, idevid.key.public_key()))
    assert (payload.tenant, payload.pressed, payload.epoch) == ("acme", True, 4)
    assert (payload.request_id, payload.csr) == (asked.request_id, asked.csr)
    assert (request.hash, request.device_nonce) == (signed.hash(), payload.device_nonce)


def test_a_device_without_an_idevid_signs_with_the_key_it_asks_for(site):
    _, _, asked = site
    key = FileKey("file:/nowhere", ec.generate_private_key(ec.SECP256R1()))
    request = build_register_request(Signer(key, ()), REGISTERING, asked, url="u", nonce="n")
    signed = jws.parse(request.body)
    assert signed.header.x5c is None
    assert read_register_request(jws.verify(signed, key.public_key())).tenant == "acme"


def test_greeting_and_request_share_one_verified_connection(site, platform):
    before = platform.connections
    connection = connect(platform)
    greeting = connection.greet()
    answer = connection.post(greeting.enrol, request_for(site, greeting))
    assert isinstance(answer, Enrolled)
    connection.close()
    assert platform.connections == before + 1


def test_a_connection_that_the_platform_closed_is_opened_once_more(site, platform):
    connection = connect(platform)
    greeting = connection.greet()
    platform.change(lose_answers=1)
    answer = connection.post(greeting.enrol, request_for(site, greeting))
    assert isinstance(answer, Enrolled)
    connection.close()


def test_a_platform_that_closes_again_and_again_is_unreachable(site, platform):
    connection = connect(platform)
    greeting = connection.greet()
    platform.change(lose_answers=5)
    with pytest.raises(HomeportError) as caught:
        connection.post(greeting.enrol, request_for(site, greeting))
    assert caught.value.code is Code.PLATFORM_UNREACHABLE


def test_nobody_there(site, platform):
    connection = connect(platform, route=Route("127.0.0.1", 1))
    with pytest.raises(HomeportError) as caught:
        connection.greet()
    assert caught.value.code is Code.PLATFORM_UNREACHABLE


def test_the_addresses_given_are_dialled_and_not_the_name(site, platform):
    port = int(platform.url.rpartition(":")[2])
    route = Route("edge.local.invalid", port, ("127.0.0.2", "127.0.0.1"))
    connection = connect(platform, route=route)
    assert connection.greet().name == NAME
    connection.close()


def test_without_time_dates_are_passed_over_and_names_are_not(site, platform, tmp_path):
    platform.use_tls(
        platform.authority, [NAME], not_before=NOW + timedelta(days=300),
    )  # fmt: skip
    timeless = TimeSense(NOW - timedelta(days=1), None)
    try:
        connection = connect(platform, sense=timeless)
        assert connection.greet().name == NAME
        connection.close()
        platform.use_tls(platform.authority, ["other.test"])
        with pytest.raises(HomeportError) as caught:
            connect(platform, sense=timeless).greet()
        assert caught.value.code is Code.PLATFORM_UNPROVEN
        # What ended before a time that has certainly passed is worthless, whatever the clock says.
        platform.use_tls(platform.authority, [NAME], not_after=NOW - timedelta(days=5))
        with pytest.raises(HomeportError) as caught:
            connect(platform, sense=timeless).greet()
        assert "expired" in caught.value.detail
    finally:
        platform.use_tls(platform.authority, [NAME])


def test_another_thread_can_end_a_long_poll(site, platform):
    platform.change(missing="owner")
    connection = connect(platform)
    greeting = connection.greet()
    waiting = threading.Event()

    def abort_soon():
        waiting.wait(5)
        connection.abort()

    aborting = threading.Thread(target=abort_soon)
    aborting.start()
    began = datetime.now(UTC)
    waiting.set()
    with pytest.raises(HomeportError) as caught:
        connection.post(greeting.enrol, request_for(site, greeting, wait=30), wait=30)
    aborting.join()
    assert caught.value.code is Code.PLATFORM_UNREACHABLE
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_a_trickle_ends_at_the_deadline(site, platform, monkeypatch):
    monkeypatch.setattr(exchange_module, "GREETING_TIMEOUT", 0.2)
    platform.change(trickle=0.03)
    connection = connect(platform)
    with pytest.raises(HomeportError) as caught:
        connection.greet()
    assert caught.value.code is Code.PLATFORM_UNREACHABLE
    connection.close()


def test_an_endless_answer_is_cut_off(site, platform, monkeypatch):
    monkeypatch.setattr(exchange_module, "GREETING_MAX_BYTES", 50)
    with pytest.raises(HomeportError) as caught:
        connect(platform).greet()
    assert "more than 50 bytes" in caught.value.detail


def greet_through(platform, password):
    port = int(platform.url.rpartition(":")[2])

    async def scenario():
        async with ConnectProxy("device:secret") as proxy:
            way = Proxy("127.0.0.1", proxy.port, Secret(password))
            connection = connect(platform, route=Route("127.0.0.1", port, (), way))
            try:
                return await asyncio.to_thread(connection.greet), proxy.targets
            finally:
                connection.close()
                await asyncio.sleep(0.05)

    return asyncio.run(scenario())


def test_a_proxy_is_asked_for_a_tunnel(site, platform):
    greeting, targets = greet_through(platform, "device:secret")
    assert greeting.name == NAME
    assert targets == [platform.url.removeprefix("https://")]


def test_a_proxy_that_refuses_is_named(site, platform):
    with pytest.raises(HomeportError) as caught:
        greet_through(platform, "device:wrong")
    assert "407" in caught.value.detail


@pytest.mark.parametrize(
    ("status", "body", "code", "kind"),
    [
        (403, {"code": "credential-revoked"}, "credential-revoked", Kind.REFUSED),
        (401, {"code": "nonce-wrong"}, "nonce-wrong", Kind.UNPROVEN),
        (409, {"code": "from-the-future"}, "from-the-future", Kind.CONFLICT),
        (418, {}, "http-418", Kind.MALFORMED),
        (500, {}, "http-500", Kind.UNAVAILABLE),
        (302, {}, "http-302", Kind.UNAVAILABLE),
        (429, {"code": "too-many-requests"}, "too-many-requests", Kind.THROTTLED),
    ],
)
def test_refusals_keep_their_code_and_get_a_kind(status, body, code, kind):
    problem = read_refusal(status, encode(Problem(**body)))
    assert (problem.platform_code, problem.kind) == (code, kind)
    assert problem.title
    assert problem.advice


def test_a_foreign_text_is_cut_and_cannot_command_a_terminal():
    problem = read_refusal(
        403, encode(Problem(code="later", title="\x1b[2Jgone" + "x" * 999, advice="do\nthis"))
    )
    assert problem.code is Code.PLATFORM_REFUSED
    assert problem.title.startswith("[2Jgonex")
    assert len(problem.title) <= 300
    assert problem.advice == "dothis"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("30", 30),
        ("999999999999999", 3600),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_a_wait_is_bounded(header, seconds):
    wait = read_refusal(429, b"{}", header).retry_after
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


@given(st.integers(300, 599), st.binary(max_size=200), st.text(max_size=20))
def test_any_refusal_can_be_read(status, body, retry_after):
    assert isinstance(read_refusal(status, body, retry_after), PlatformRefusalError)


@given(st.binary(max_size=300))
def test_any_answer_is_unproven_or_malformed(tmp_path_factory, body):
    trust = PlatformTrust.of(NAME, [])
    request = SignedRequest(b"", bytes(32), bytes(16))
    try:
        read_signed_answer(body, request, trust, SENSE)
    except MalformedError:
        return
    except HomeportError as error:
        assert error.code is Code.PLATFORM_UNPROVEN  # noqa: PT017
