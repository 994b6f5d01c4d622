# SPDX-License-Identifier: Apache-2.0
"""What every implementation of the port `Uplink` does, against the real broker."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, TENANT, Authority, Site, TestDevice, until
from fakes.connect_proxy import ConnectProxy
from fakes.in_loop import in_loop
from homeport.broker.link import BrokerLink
from homeport.clock import Clock
from homeport.domain.topics import Branch, Topic
from homeport.errors import Code, HomeportError
from homeport.keys import open_key
from homeport.pki.certificates import pem_of
from homeport.protocols.mqtt.device import Proxy, Uplink, UplinkSettings
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.protocols.mqtt.device.paho_uplink import PahoUplink

Adapter = Callable[[UplinkSettings, Clock], Uplink]


@pytest.fixture(params=[AwscrtUplink, PahoUplink], ids=["awscrt", "paho"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    chosen: Adapter = request.param
    return chosen


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def code_of(uplink: Uplink) -> Code:
    with pytest.raises(HomeportError) as failed:
        await uplink.connect()
    await uplink.disconnect()
    return failed.value.code


async def next_message(link: BrokerLink, act: Callable[[], Awaitable[None]]) -> tuple[str, bytes]:
    """What a watcher at the platform hears after the act."""
    async with asyncio.TaskGroup() as group:

        async def hear() -> tuple[str, bytes]:
            async for message in link.watch(TENANT):
                return str(message.topic), message.payload
            raise AssertionError

        heard = group.create_task(hear())
        await asyncio.sleep(0.05)
        await act()
    return heard.result()


def order(device: TestDevice, channel: str) -> Topic:
    return Topic(device.tenant, device.id, Branch.DOWN, channel)


@in_loop
async def test_it_publishes_and_hears_at_least_once(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running() as (_, link):
        uplink = adapter(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        topic = device.topics.up("t/1")
        heard = await next_message(link, lambda: uplink.publish(topic, b"21.5"))
        assert heard == (topic, b"21.5")

        told: list[tuple[str, bytes]] = []
        await uplink.subscribe(device.topics.every_down, lambda *message: told.append(message))
        await link.send(order(device, "set/point"), b"22")
        await until(lambda: told)
        assert told == [(str(order(device, "set/point")), b"22")]
        await uplink.disconnect()


@in_loop
async def test_through_a_websocket_it_logs_in_by_signature(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running() as (_, link):
        settings = site.uplink_settings(device, port=site.websocket_port, websocket_path="/mqtt")
        uplink = adapter(settings, CLOCK)
        await uplink.connect()
        topic = device.topics.up("t")
        heard = await next_message(link, lambda: uplink.publish(topic, b"1"))
        assert heard == (topic, b"1")
        await uplink.disconnect()


@in_loop
async def test_what_was_said_while_it_was_away_arrives_later(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    told: list[bytes] = []

    async def hear_once(expected: list[bytes]) -> None:
        uplink = adapter(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        await uplink.subscribe(device.topics.every_down, lambda _, said: told.append(said))
        await until(lambda: told == expected)
        await uplink.disconnect()

    async with site.running() as (_, link):
        await hear_once([])
        await link.send(order(device, "set"), b"first")
        await hear_once([b"first"])
        await link.send(order(device, "set"), b"second")
        await hear_once([b"first", b"second"])


@in_loop
async def test_a_good_bye_speaks_no_will_and_is_no_loss(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running(), asyncio.TaskGroup() as group:
        uplink = adapter(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        await uplink.publish(device.topics.state, device.online, retain=True)
        lost = group.create_task(uplink.lost())
        await uplink.disconnect()
        await uplink.disconnect()
        # A second connection's message is handled after all that the first could have left behind.
        again = adapter(site.uplink_settings(device), CLOCK)
        await again.connect()
        await again.publish(device.topics.state, device.online, retain=True)
        await until(lambda: site.states.counted >= 2)  # at least once: one may come again
        assert site.registry.rows.presence[device.id].online
        assert not lost.done() or adapter is PahoUplink
        lost.cancel()
        await again.disconnect()


@in_loop
async def test_a_broken_connection_is_reported_and_the_will_spoken(
    site: Site, adapter: Adapter
) -> None:
    device = await site.device("SN1")
    async with site.running(), ConnectProxy("user:word") as network:
        way = Proxy.parse(f"http://user:word@127.0.0.1:{network.port}")
        uplink = adapter(site.uplink_settings(device, proxy=way), CLOCK)
        await uplink.connect()
        await uplink.publish(device.topics.state, device.online, retain=True)
        await until(lambda: site.states.counted == 1)
        network.cut()
        async with asyncio.timeout(5):
            assert await uplink.lost()
        await until(lambda: not site.registry.rows.presence[device.id].online)
        with pytest.raises(HomeportError) as failed:
            await uplink.publish(device.topics.up("t"), b"1")
        assert failed.value.code is Code.UPSTREAM_UNREACHABLE
        await uplink.disconnect()


@in_loop
async def test_it_does_not_come_back_by_itself(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running() as (broker, link):
        uplink = adapter(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            await uplink.lost()
        await until(lambda: broker.restarts == 1 and link.is_connected)
        # Another device comes in, so the broker is there; the first one had all that time too.
        other = await site.device("SN2")
        second = adapter(site.uplink_settings(other), CLOCK)
        await second.connect()
        assert link.counters()["admitted"] == 2
        await second.disconnect()
        await uplink.disconnect()


@in_loop
async def test_the_certificate_counts_and_not_the_address(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    foreign = Authority(site.directory, "foreign")
    async with site.running():
        wrong = adapter(site.uplink_settings(device, server_name="other.example"), CLOCK)
        assert await code_of(wrong) is Code.PLATFORM_UNPROVEN
        wrong = adapter(site.uplink_settings(device, anchors=foreign.pem), CLOCK)
        assert await code_of(wrong) is Code.PLATFORM_UNPROVEN


@in_loop
async def test_a_refusal_is_told_from_silence(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    foreign = Authority(site.directory, "foreign")
    forged = site.leaf_for(device.id, open_key(device.key_uri), timedelta(days=1), foreign)
    async with site.running():
        wrong = adapter(site.uplink_settings(device, client_id="abcdefghijklmnop-SN2"), CLOCK)
        assert await code_of(wrong) is Code.UPSTREAM_REFUSED
        wrong = adapter(site.uplink_settings(device, certificate=pem_of(forged)), CLOCK)
        assert await code_of(wrong) is Code.UPSTREAM_REFUSED
    gone = adapter(site.uplink_settings(device), CLOCK)
    assert await code_of(gone) is Code.UPSTREAM_UNREACHABLE


@in_loop
async def test_a_forbidden_subscription_is_refused(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running():
        uplink = adapter(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        with pytest.raises(HomeportError) as failed:
            await uplink.subscribe(f"hp/{TENANT}/#", lambda *_: None)
        assert failed.value.code is Code.UPSTREAM_REFUSED
        await uplink.disconnect()


@in_loop
async def test_it_goes_through_an_http_proxy(site: Site, adapter: Adapter) -> None:
    device = await site.device("SN1")
    async with site.running(), ConnectProxy("user:word") as proxy:
        settings = site.uplink_settings(
            device, proxy=Proxy.parse(f"http://user:word@127.0.0.1:{proxy.port}")
        )
        uplink = adapter(settings, CLOCK)
        await uplink.connect()
        await uplink.publish(device.topics.up("t"), b"1")
        assert proxy.targets == [f"127.0.0.1:{site.port}"]
        await uplink.disconnect()

        settings = site.uplink_settings(
            device, proxy=Proxy.parse(f"http://user:wrong@127.0.0.1:{proxy.port}")
        )
        assert await code_of(adapter(settings, CLOCK)) is Code.UPSTREAM_UNREACHABLE
