# SPDX-License-Identifier: Apache-2.0
"""State messages: the first completes the enrolment, none is lost while the platform is away."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, Site, TestDevice, until
from fakes.in_loop import in_loop
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.domain.audit import Name
from homeport.domain.enrolment import State
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def opened(site: Site, device: TestDevice) -> AwscrtUplink:
    uplink = AwscrtUplink(site.uplink_settings(device), CLOCK)
    await uplink.connect()
    return uplink


def events(site: Site) -> list[Name]:
    return [event.name for event in site.registry.rows.audit]


@in_loop
async def test_the_first_word_completes_the_enrolment_once(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running():
        uplink = await opened(site, device)
        for _ in range(3):
            await uplink.publish(device.topics.state, device.online, retain=True)
        await until(lambda: site.states.counted == 3)
        assert events(site) == [Name.ENROLMENT_COMPLETED]
        (run,) = site.registry.rows.enrolments.values()
        assert run.state is State.OPERATIONAL
        assert site.registry.rows.presence[device.id].online
        await uplink.disconnect()


@in_loop
async def test_poison_is_thrown_away_and_what_follows_is_handled(site: Site) -> None:
    device, other = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link):
        uplink = await opened(site, device)
        for payload in (b"", b"\xff", b"[]", b'{"state":"online"}', b"{" * 5000, other.online):
            await uplink.publish(device.topics.state, payload, retain=True)
        await uplink.publish(device.topics.state, device.online, retain=True)
        await until(lambda: site.states.counted == 1)
        assert site.states.ignored == 1  # another device's certificate
        assert link.counters()["states_poisonous"] >= 4  # an empty retained one says nothing
        assert other.id not in site.registry.rows.presence
        await uplink.disconnect()


@in_loop
async def test_what_was_said_while_the_platform_was_away_is_heard(site: Site) -> None:
    device, other = await site.device("SN1"), await site.device("SN2")
    async with EmbeddedBroker(site.settings) as broker:
        async with BrokerLink(broker.access) as link, site.serving(link):
            uplink = await opened(site, device)
            second = await opened(site, other)
            await uplink.publish(device.topics.state, device.online, retain=True)
            await until(lambda: site.states.counted == 1)
        # Nobody listens; the broker goes on.
        await second.publish(other.topics.state, other.online, retain=True)
        await uplink.publish(device.topics.state, device.offline, retain=True)
        assert site.states.counted == 1
        async with BrokerLink(broker.access) as link, site.serving(link):
            await until(lambda: site.states.counted == 3)
        assert not site.registry.rows.presence[device.id].online
        assert site.registry.rows.presence[other.id].online
        assert events(site) == [Name.ENROLMENT_COMPLETED] * 2
        await uplink.disconnect()
        await second.disconnect()


@in_loop
async def test_a_registry_that_fails_is_asked_again_in_order(site: Site) -> None:
    device = await site.device("SN1")
    handle, failures = site.states.handle, 2

    async def failing(subject: str, payload: bytes, at: datetime) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError("the disk is full")
        await handle(subject, payload, at)

    site.states.handle = failing  # type: ignore[method-assign]
    async with site.running():
        uplink = await opened(site, device)
        await uplink.publish(device.topics.state, device.online, retain=True)
        await uplink.publish(device.topics.state, device.offline, retain=True)
        await until(lambda: site.states.counted == 2)
        assert not site.registry.rows.presence[device.id].online
        assert events(site) == [Name.ENROLMENT_COMPLETED]
        await uplink.disconnect()


@in_loop
async def test_two_platforms_share_the_work(site: Site) -> None:
    devices = [await site.device(f"SN{number}") for number in range(4)]
    async with (
        site.running() as (broker, first),
        BrokerLink(broker.access) as second,
        site.serving(second),
    ):
        uplinks = [await opened(site, device) for device in devices]
        await asyncio.gather(
            *(
                uplink.publish(device.topics.state, device.online, retain=True)
                for uplink, device in zip(uplinks, devices, strict=True)
            )
        )
        await until(lambda: site.states.counted >= len(devices))
        handled = [link.counters()["states_handled"] for link in (first, second)]
        admitted = [link.counters()["admitted"] for link in (first, second)]
        assert sum(handled) == sum(admitted) == len(devices)
        for uplink in uplinks:
            await uplink.disconnect()
