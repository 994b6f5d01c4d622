# SPDX-License-Identifier: Apache-2.0
"""Platforms that are not what they say: nothing is sent to them, nothing from them is believed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509

from fakes.agents import quick_settings, running_agent, until
from fakes.awkward_platform import DAY, NAME, Authority, FakeFactory, FakePlatform
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker
from homeport.agent import platforms
from homeport.agent.discovery.candidates import Candidate, Source
from homeport.agent.journey import State
from homeport.artefacts.signers import VOUCHER_SIGNER
from homeport.artefacts.voucher import Voucher, issue_voucher
from homeport.keys import open_key
from homeport.pki.authority import Leaf, build_leaf, domain_signer_leaf, server_leaf
from homeport.pki.certificates import der_of, fingerprint, load_bundle, parse_certificate, pem_of
from homeport.pki.subjects import common_name, platform_names
from homeport.protocols.native.wire import Redirect


@pytest.fixture
def platform(tmp_path):
    with FakePlatform(tmp_path / "platform") as made:
        yield made


@pytest.fixture
def factory(tmp_path):
    return FakeFactory.make(tmp_path / "factory")


@pytest.fixture
def settings(platform, factory, tmp_path):
    factory.mint(tmp_path / "device", platform)
    return quick_settings(tmp_path)


async def fails_with(settings, code, words=""):
    async with running_agent(settings, FakeBroker()) as agent:
        await until(lambda: len(agent.agent.status().failures) >= 2)
        failure = agent.agent.status().failures[0]
        assert (failure.code, words in failure.detail) == (code, True), failure.detail
        assert agent.saved.credential is None
        return agent.state


@in_loop
async def test_a_stranger_with_the_right_name_is_sent_nothing(platform, settings, tmp_path):
    platform.use_tls(Authority(tmp_path / "rogue", "rogue", platform.began), [NAME])
    await fails_with(settings, "platform-unproven", "TLS")
    assert platform.greeted == 0


@in_loop
async def test_another_name_under_the_right_anchor_is_sent_nothing(platform, settings):
    platform.use_tls(platform.authority, ["other.test"])
    await fails_with(settings, "platform-unproven", "Hostname mismatch")
    assert platform.greeted == 0


@in_loop
async def test_a_devices_identity_is_no_platform(platform, factory, settings, tmp_path):
    other = factory.mint(tmp_path / "other", platform, serial_number=NAME)
    key = open_key(f"file:{other}/idevid.key")
    platform.use_certificate(key, pem_of(*load_bundle((other / "idevid.pem").read_bytes())))
    await fails_with(settings, "platform-unproven", "TLS")
    assert platform.greeted == 0


@in_loop
async def test_anchors_for_devices_do_not_prove_a_platform(platform, factory, settings):
    # A server certificate, with the right name, but under the anchor for IDevIDs.
    platform.use_tls(factory.authority, [NAME])
    await fails_with(settings, "platform-unproven", "TLS")
    assert platform.greeted == 0


@in_loop
async def test_a_certificate_without_serverauth_is_no_server(platform, settings):
    key = platform.authority.new_key()
    signer = domain_signer_leaf(
        key.public_key(), [NAME], platform.began, platform.began + 800 * DAY
    )
    platform.use_certificate(key, pem_of(build_leaf(signer, platform.authority.issuer)))
    await fails_with(settings, "platform-unproven", "TLS")
    assert platform.greeted == 0


@in_loop
async def test_a_certificate_for_no_purpose_is_no_server(platform, settings):
    # OpenSSL takes one that names no purpose for one that may do everything.
    key = platform.authority.new_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(NAME))
        .public_key(key.public_key())
        .not_valid_before(platform.began)
        .not_valid_after(platform.began + 800 * DAY)
        .add_extension(platform_names([NAME]), critical=False)
    )
    platform.use_certificate(key, pem_of(platform.authority.issuer.sign(builder)))
    await fails_with(settings, "platform-unproven", "not a server's")
    assert platform.greeted == 0


@in_loop
async def test_an_expired_platform_is_sent_nothing(platform, settings):
    platform.use_tls(platform.authority, [NAME], not_after=datetime.now(UTC) - DAY)
    await fails_with(settings, "platform-unproven", "expired")
    assert platform.greeted == 0


@in_loop
async def test_a_web_server_is_no_platform(platform, settings):
    platform.change(greeting={"homeport": "hello"})
    assert await fails_with(settings, "platform-absent") is State.DISCOVERING
    assert platform.enrolments == []


@in_loop
async def test_a_greeting_for_another_host_is_not_signed_for(platform, settings):
    platform.change(greeting={"enrol": "https://evil.test/.well-known/homeport/enrol"})
    await fails_with(settings, "platform-unproven", "not of platform.test")
    assert platform.enrolments == []


def other_signer(platform, authority, kind, names):
    key = authority.new_key()
    leaf = kind(key.public_key(), names, platform.began, platform.began + 800 * DAY)
    return key, (der_of(build_leaf(leaf, authority.issuer)),)


@in_loop
async def test_an_answer_by_another_authority_is_not_believed(platform, settings, tmp_path):
    rogue = Authority(tmp_path / "rogue", "rogue", platform.began)
    platform.change(signer=other_signer(platform, rogue, domain_signer_leaf, [NAME]))
    await fails_with(settings, "platform-unproven")


@in_loop
async def test_an_answer_by_a_tls_key_is_not_believed(platform, settings):
    signer = other_signer(platform, platform.authority, server_leaf, [NAME])
    platform.change(signer=signer)
    await fails_with(settings, "platform-unproven", "not for a platform's answers")


@in_loop
async def test_an_answer_for_another_name_is_not_believed(platform, settings):
    signer = other_signer(platform, platform.authority, domain_signer_leaf, ["other.test"])
    platform.change(signer=signer)
    await fails_with(settings, "platform-unproven", "not for platform.test")


@in_loop
async def test_an_answer_to_another_request_is_not_believed(platform, settings):
    platform.change(spoil=lambda a: msgspec.structs.replace(a, request_hash=bytes(32)))
    await fails_with(settings, "platform-unproven", "another request")


@in_loop
async def test_an_old_answer_is_not_believed(platform, settings):
    platform.change(spoil=lambda a: msgspec.structs.replace(a, device_nonce=bytes(16)))
    await fails_with(settings, "platform-unproven", "another request")


@in_loop
async def test_a_time_beyond_its_own_certificate_is_not_believed(platform, settings):
    """Once it was believed, every certificate of the present would have expired, for good."""
    far = int(datetime(2199, 1, 1, tzinfo=UTC).timestamp())
    platform.change(spoil=lambda answer: msgspec.structs.replace(answer, time=far))
    await fails_with(settings, "platform-unproven", "its own certificate")


@in_loop
async def test_what_was_signed_for_another_purpose_is_no_answer(platform, settings):
    platform.change(typ="voucher-jws+json")
    await fails_with(settings, "platform-unproven", "no answer")


@in_loop
async def test_a_certificate_for_another_key_is_not_taken(platform, settings, tmp_path):
    other = platform.authority.new_key().public_key()

    def spoil(answer):
        der = platform._certify("x" * 16, other, answer.device, "EX-000017")
        return msgspec.structs.replace(answer, certificate=(der,))

    platform.change(spoil=spoil)
    await fails_with(settings, "malformed", "another key")


@in_loop
async def test_anchors_that_would_lock_the_device_out_are_not_taken(platform, settings, tmp_path):
    rogue = Authority(tmp_path / "rogue", "rogue", platform.began)
    platform.change(anchors=(der_of(rogue.certificate),))
    await fails_with(settings, "platform-unproven", "anchors")


@in_loop
async def test_wildcards_in_the_topics_are_not_taken(platform, settings):
    platform.change(spoil=lambda a: msgspec.structs.replace(a, topics="hp/+/x"))
    await fails_with(settings, "malformed", "topics")


@in_loop
async def test_a_redirect_without_a_voucher_that_holds_is_not_followed(platform, settings):
    redirect = Redirect(
        version=1, device_nonce=bytes(16), request_hash=bytes(32), time=0,
        url="https://evil.test", voucher=b"{}",
    )  # fmt: skip
    platform.change(redirect=lambda _: msgspec.structs.replace(redirect, time=platform._now()))
    await fails_with(settings, "voucher-unproven")


@in_loop
async def test_a_slow_sender_does_not_hold_the_agent(platform, settings, monkeypatch):
    from homeport.protocols.native.device import exchange

    monkeypatch.setattr(exchange, "GREETING_TIMEOUT", 0.3)
    platform.change(trickle=0.05)
    await fails_with(settings, "platform-unreachable", "timed out")


@in_loop
async def test_after_a_rogue_the_next_address_is_tried(platform, settings, tmp_path, monkeypatch):
    rogue = FakePlatform(tmp_path / "rogue")
    offered = [Candidate(rogue.url, Source.DHCP), Candidate(platform.url, Source.DEFAULT)]

    async def ask():
        for candidate in offered:
            yield candidate

    monkeypatch.setattr(platforms, "standard_stages", lambda **_: ((("here", ask),),))
    with rogue:
        async with running_agent(settings, FakeBroker()) as agent:
            await agent.reaches(State.OPERATIONAL)
        assert (rogue.connections, rogue.greeted) == (0, 0)
    assert [request.network.source for request in platform.enrolments] == ["default"]


@pytest.fixture
def vouching(tmp_path):
    """The manufacturer's voucher authority, with a signer."""
    authority = Authority(tmp_path / "vouchers", "vouchers", datetime.now(UTC) - 30 * DAY)
    key = authority.new_key()
    signer = Leaf(
        public_key=key.public_key(),
        subject=common_name("voucher signer"),
        alternative_names=platform_names(["vouchers.test"]),
        usage=x509.ExtendedKeyUsage([VOUCHER_SIGNER]),
        not_before=authority.began,
        not_after=authority.began + 800 * DAY,
    )
    return authority, key, (der_of(build_leaf(signer, authority.issuer)),)


def redirect_to(edge, vouching, **changes):
    _, key, chain = vouching
    facts: dict[str, Any] = {
        "serial_number": "EX-000017",
        "pinned_domain_cert": der_of(edge.authority.certificate),
        "epoch": 3,
        "created_on": datetime.now(UTC),
        "expires_on": datetime.now(UTC) + DAY,
    }
    octets = issue_voucher(Voucher(**(facts | changes)), key, chain)
    now = int(datetime.now(UTC).timestamp())
    return lambda _: Redirect(
        version=1, device_nonce=bytes(16), request_hash=bytes(32), time=now,
        url=edge.public_url.replace(edge.name, "127.0.0.1"), voucher=octets,
    )  # fmt: skip


@in_loop
async def test_a_voucher_leads_to_another_platform_for_good(platform, settings, vouching, tmp_path):
    (settings.identity / "vouchers.pem").write_bytes(pem_of(vouching[0].certificate))
    broker = FakeBroker()
    with FakePlatform(tmp_path / "edge", name="127.0.0.1") as edge:
        edge.change(epoch=3)
        platform.change(redirect=redirect_to(edge, vouching))
        async with running_agent(settings, broker) as agent:
            await agent.reaches(State.OPERATIONAL)
            assert not agent.credential.platform.is_home
            assert agent.tools.logbook.lifetime.epoch == 3
            first = agent.credential
            # Revoked there, it asks there again, not at the manufacturer's.
            broker.refused.add(fingerprint(parse_certificate(first.certificate[0])))
            edge.change(renewal_refusal=(403, "credential-revoked"))
            broker.cut()
            await until(lambda: agent.saved.credential != first)
        assert len(platform.enrolments) == 1
        assert len(edge.enrolments) == 2


@in_loop
async def test_an_owner_cannot_raise_the_epoch_above_his_voucher(
    platform, settings, vouching, tmp_path
):
    """Else the next owner's voucher would be of an epoch that is over already."""
    (settings.identity / "vouchers.pem").write_bytes(pem_of(vouching[0].certificate))
    with FakePlatform(tmp_path / "edge", name="127.0.0.1") as edge:
        edge.change(epoch=2**31 - 1)
        platform.change(redirect=redirect_to(edge, vouching))
        async with running_agent(settings, FakeBroker()) as agent:
            await agent.reaches(State.OPERATIONAL)
            assert not agent.credential.platform.is_home
            assert agent.tools.logbook.lifetime.epoch == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"serial_number": "EX-000018"},
        {"expires_on": datetime.now(UTC) - timedelta(hours=1)},
        {"expires_on": None, "nonce": bytes(16)},
    ],
)
@in_loop
async def test_a_voucher_that_does_not_hold_leads_nowhere(
    platform, settings, vouching, tmp_path, changes
):
    (settings.identity / "vouchers.pem").write_bytes(pem_of(vouching[0].certificate))
    with FakePlatform(tmp_path / "edge", name="127.0.0.1") as edge:
        platform.change(redirect=redirect_to(edge, vouching, **changes))
        await fails_with(settings, "voucher-unproven")
        assert edge.connections == 0


@in_loop
async def test_platform_anchors_do_not_vouch(platform, settings, vouching, tmp_path):
    (settings.identity / "vouchers.pem").write_bytes(pem_of(platform.authority.certificate))
    with FakePlatform(tmp_path / "edge", name="127.0.0.1") as edge:
        platform.change(redirect=redirect_to(edge, vouching))
        await fails_with(settings, "voucher-unproven")
        assert edge.connections == 0


@in_loop
async def test_a_circle_of_redirects_ends(platform, factory, vouching, tmp_path):
    factory.mint(tmp_path / "device", platform)
    (tmp_path / "device" / "vouchers.pem").write_bytes(pem_of(vouching[0].certificate))
    with FakePlatform(tmp_path / "edge", name="127.0.0.1") as edge:
        edge.change(redirect=redirect_to(edge, vouching))
        platform.change(redirect=redirect_to(edge, vouching))
        await fails_with(quick_settings(tmp_path), "platform-unproven", "redirects")
