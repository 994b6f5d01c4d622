# SPDX-License-Identifier: Apache-2.0
"""Attacks on the broker, each with a second, permitted subscriber as witness.

A denied publish is acknowledged all the same (MQTT 3.1.1 has no reason code), so what counts is
what the witness heard: the last thing each attacker does is something allowed, and the witness must
hear that and nothing before it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from fakes.broker_site import CLOCK, NAME, TENANT, Authority, Site, TestDevice, until
from fakes.in_loop import in_loop
from fakes.softhsm import SoftToken
from homeport.broker.kick import sweep
from homeport.broker.link import BrokerLink
from homeport.domain.credential import CredentialState
from homeport.domain.topics import Branch, Topic
from homeport.errors import Code, HomeportError
from homeport.keys import make_key
from homeport.pki.authority import build_leaf, server_leaf
from homeport.pki.certificates import pem_of
from homeport.pki.idevid import IdevIdMinter
from homeport.protocols.mqtt.device import Uplink, UplinkSettings
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def opened(settings: UplinkSettings) -> Uplink:
    uplink = AwscrtUplink(settings, CLOCK)
    await uplink.connect()
    return uplink


async def refused(settings: UplinkSettings) -> bool:
    """Whether the broker does not let it in."""
    with pytest.raises(HomeportError) as failed:
        await opened(settings)
    return failed.value.code is Code.UPSTREAM_REFUSED


class Witness:
    """A device that is let in, and everything that it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def hear(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, payload))


@asynccontextmanager
async def witness(site: Site, device: TestDevice) -> AsyncIterator[Witness]:
    seen = Witness()
    uplink = await opened(site.uplink_settings(device))
    await uplink.subscribe(device.topics.every_down, seen.hear)
    yield seen
    await uplink.disconnect()


@asynccontextmanager
async def platform_ears(link: BrokerLink) -> AsyncIterator[list[tuple[str, bytes]]]:
    """What the platform hears of all devices."""
    heard: list[tuple[str, bytes]] = []

    async def listen() -> None:
        async for message in link.watch():
            heard.append((str(message.topic), message.payload))  # noqa: PERF401 - seen as it grows

    async with asyncio.TaskGroup() as group:
        task = group.create_task(listen())
        await asyncio.sleep(0.05)
        yield heard
        task.cancel()


@in_loop
async def test_a_neighbours_client_id_neither_gets_in_nor_evicts(site: Site) -> None:
    victim, thief = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link), witness(site, victim) as seen:
        assert await refused(site.uplink_settings(thief, client_id=str(victim.id)))
        await link.send(_down(victim, "alive"), b"1")
        await until(lambda: seen.heard)
        assert link.counters() == link.counters() | {"admitted": 1, "refused": 1}


@in_loop
async def test_nobody_forges_a_command_through_the_brokers_own_subjects(site: Site) -> None:
    victim, forger = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link), witness(site, victim) as seen:
        attacker = await opened(site.uplink_settings(forger))
        order = f"{victim.topics.prefix}/down/open"
        for topic in (
            order,
            f"$MQTT/msgs/{order}",
            f"$MQTT/deliver/pubrel/{order}",
            f"$JS/API/STREAM/DELETE/{victim.id}",
            "$JS/API/STREAM/DELETE/HOMEPORT_STATES",
            "_homeport/states",
        ):
            await attacker.publish(topic, b"forged")
        await link.send(_down(victim, "open"), b"genuine")
        await until(lambda: seen.heard)
        assert seen.heard == [(order, b"genuine")]
        # The stream of states is there still.
        await attacker.publish(forger.topics.state, forger.online, retain=True)
        await until(lambda: site.states.counted == 1)
        await attacker.disconnect()


@in_loop
async def test_nobody_speaks_for_another_device_or_tenant(site: Site) -> None:
    victim, forger = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link), platform_ears(link) as heard:
        attacker = await opened(site.uplink_settings(forger))
        for topic in (
            victim.topics.up("t"),
            f"hp/other/{forger.id}/up/t",
            f"hp/{TENANT}/{forger.id}",
            f"hp/{TENANT}/up/t",
        ):
            await attacker.publish(topic, b"forged")
        await attacker.publish(victim.topics.state, victim.online, retain=True)
        await attacker.publish(forger.topics.up("t"), b"mine")
        await until(lambda: heard)
        assert heard == [(forger.topics.up("t"), b"mine")]
        await attacker.publish(forger.topics.state, forger.online, retain=True)
        await until(lambda: site.states.counted == 1)
        assert victim.id not in site.registry.rows.presence
        await attacker.disconnect()


@in_loop
async def test_a_foreign_will_is_not_spoken(site: Site) -> None:
    victim, forger = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link):
        good = await opened(site.uplink_settings(victim))
        await good.publish(victim.topics.state, victim.online, retain=True)
        await until(lambda: site.states.counted == 1)
        settings = site.uplink_settings(forger)
        will = replace(settings.will, topic=victim.topics.state, payload=victim.offline)
        attacker = AwscrtUplink(replace(settings, will=will), CLOCK)
        try:
            await attacker.connect()
        except HomeportError:
            pass  # refused with such a will: better still
        else:
            await sweep(link._system, forger.id)
            await attacker.lost()
        await good.publish(victim.topics.state, victim.online, retain=True)
        await until(lambda: site.states.counted == 2)
        assert site.registry.rows.presence[victim.id].online
        await good.disconnect()
        await attacker.disconnect()


@in_loop
async def test_nobody_listens_to_others(site: Site) -> None:
    victim, spy = await site.device("SN1"), await site.device("SN2")
    async with site.running():
        uplink = await opened(site.uplink_settings(spy))
        for pattern in (
            "#",
            "hp/#",
            f"hp/{TENANT}/+/down/#",
            victim.topics.every_down,
            victim.topics.state,
            "$MQTT/#",
            "$SYS/#",
            "_homeport/states",
            "_INBOX/#",
        ):
            with pytest.raises(HomeportError) as failed:
                await uplink.subscribe(pattern, lambda *_: None)
            assert failed.value.code is Code.UPSTREAM_REFUSED, pattern
        await uplink.disconnect()


@in_loop
async def test_only_operational_certificates_of_ours_get_in(site: Site) -> None:
    device = await site.device("SN1")
    key = make_key(f"file:{site.directory / 'other.key'}")
    now = datetime.now(UTC)
    foreign = Authority(site.directory, "foreign")
    idevids = Authority(site.directory, "idevids", site.root)
    server = server_leaf(key.public_key(), [NAME], now, now + timedelta(days=1))
    minted = IdevIdMinter(idevids.certificate, idevids.key).mint(
        key.public_key(), "SN1", "EX-100", now
    )
    chains = {
        "another CA's": pem_of(site.leaf_for(device.id, key, timedelta(days=1), foreign)),
        "an IDevID": ssl.DER_cert_to_PEM_cert(minted).encode() + idevids.pem,
        "the server's": pem_of(build_leaf(server, site.root.issuer)),
        "the right CA's, unknown to the registry": pem_of(
            site.leaf_for(device.id, key, timedelta(days=1)), site.ldevids.certificate
        ),
        "an expired one": pem_of(
            site.leaf_for(device.id, key, -timedelta(minutes=1)), site.ldevids.certificate
        ),
    }
    async with site.running() as (_, link):
        for what, chain in chains.items():
            settings = site.uplink_settings(device, certificate=chain, key_uri=key.uri)
            assert await refused(settings), what
        assert link.counters()["admitted"] == 0
        await (await opened(site.uplink_settings(device))).disconnect()


def first_answer(port: int, context: ssl.SSLContext) -> bytes:
    """What a TLS peer says first. We say nothing: unread words would make its alert a reset."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as secured,
    ):
        return secured.recv(4)


@in_loop
async def test_without_a_certificate_tls_ends(site: Site) -> None:
    context = ssl.create_default_context(cadata=site.root.pem.decode())
    async with site.running():
        for port in (site.port, site.websocket_port):
            # In TLS 1.3 the alert comes after our side of the handshake.
            with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
                await asyncio.to_thread(first_answer, port, context)


@in_loop
async def test_the_loopback_port_lets_nobody_in(site: Site) -> None:
    refusals = (nats.errors.Error, ConnectionError)
    async with site.running() as (broker, _):
        attempts: list[dict[str, str]] = [{}, {"user": "platform", "password": "x"}, {"token": "x"}]
        for credentials in attempts:
            client = Client()
            with pytest.raises(refusals):
                await client.connect(
                    broker.access.urls[0],
                    allow_reconnect=False,
                    connect_timeout=2,
                    error_cb=_quiet,
                    **credentials,  # type: ignore[arg-type]
                )
            await client.close()


class OtherClock:
    """A device's clock that is wrong."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return CLOCK.now() + self._by

    def monotonic(self) -> float:
        return CLOCK.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        await CLOCK.sleep(duration)


@in_loop
async def test_a_websocket_log_in_is_for_one_device_and_now(site: Site) -> None:
    device, other = await site.device("SN1"), await site.device("SN2")
    settings = site.uplink_settings(device, port=site.websocket_port, websocket_path="/mqtt")
    async with site.running() as (_, link):
        for late in (timedelta(minutes=6), -timedelta(minutes=6)):
            with pytest.raises(HomeportError):
                await AwscrtUplink(settings, OtherClock(late)).connect()
        assert await refused(replace(settings, client_id=str(other.id)))
        assert link.counters()["admitted"] == 0
        assert link.counters()["refused"] == 3
        good = await opened(settings)
        await good.disconnect()
        assert link.counters()["admitted"] == 1


@in_loop
async def test_an_expired_permission_ends_the_connection(site: Site) -> None:
    device = await site.device("SN1", lifetime=timedelta(seconds=3))
    async with site.running():
        uplink = await opened(site.uplink_settings(device))
        async with asyncio.timeout(6):
            await uplink.lost()
        assert datetime.now(UTC) >= device.certificate.not_valid_after_utc - timedelta(seconds=1)
        assert await refused(site.uplink_settings(device))
        await uplink.disconnect()


@in_loop
async def test_a_replaced_certificate_is_kept_out(site: Site) -> None:
    old = await site.device("SN1")
    new = await site.certify(old.id)
    async with site.running():
        first = await opened(site.uplink_settings(old))
        await first.publish(old.topics.state, old.online, retain=True)
        await until(lambda: site.states.counted == 1)
        second = await opened(site.uplink_settings(new))
        await first.lost()
        await second.publish(new.topics.state, new.online, retain=True)
        await until(
            lambda: (
                site.registry.rows.credentials[old.fingerprint].state is CredentialState.REPLACED
            )
        )
        assert await refused(site.uplink_settings(old))
        await second.publish(new.topics.up("t"), b"still here")
        await second.disconnect()
        await first.disconnect()


@in_loop
async def test_a_key_in_a_token_connects(site: Site, soft_token: SoftToken) -> None:
    uri = make_key(soft_token.uri("ldevid")).uri
    device = await site.device("SN1", key_uri=uri)
    async with site.running() as (_, link), platform_ears(link) as heard:
        uplink = await opened(site.uplink_settings(device))
        await uplink.publish(device.topics.up("t"), b"from a token")
        await until(lambda: heard)
        assert heard == [(device.topics.up("t"), b"from a token")]
        await uplink.disconnect()
        websocket = site.uplink_settings(device, port=site.websocket_port, websocket_path="/mqtt")
        uplink = await opened(websocket)
        await uplink.disconnect()


def _down(device: TestDevice, channel: str) -> Topic:
    return Topic(device.tenant, device.id, Branch.DOWN, channel)


async def _quiet(error: Exception) -> None:
    pass
