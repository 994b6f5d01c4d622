# SPDX-License-Identifier: Apache-2.0
"""Quarantine at the real broker: what is held goes nowhere; a neighbour is the witness."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, Site, TestDevice, until
from fakes.in_loop import in_loop
from homeport.broker.link import BrokerLink
from homeport.clock import Clock
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.topics import Branch, Topic
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device import Uplink, UplinkSettings
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.protocols.mqtt.device.paho_uplink import PahoUplink


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def hold(site: Site, device: TestDevice, *, until_now: bool = False) -> None:
    now = datetime.now(UTC)
    held = Quarantine(
        device=device.id, by="ann", reason="test", since=now, released_at=now if until_now else None
    )
    await site.registry.transact(lambda tx: tx.quarantines.put(held))


async def watch(link: BrokerLink, heard: list[bytes]) -> None:
    async for message in link.watch():
        heard.append(message.payload)  # noqa: PERF401 - others look at it meanwhile


@dataclass
class Held:
    """A device with a real connection, and what is heard on both ends."""

    site: Site
    device: TestDevice
    link: BrokerLink
    open_uplink: Callable[[UplinkSettings, Clock], Uplink]
    upstream: list[bytes] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)

    async def connect(self) -> Uplink:
        uplink = self.open_uplink(self.site.uplink_settings(self.device), CLOCK)
        await uplink.connect()
        return uplink

    async def listen(self, uplink: Uplink) -> None:
        every_down = self.device.topics.every_down
        await uplink.subscribe(every_down, lambda _, said: self.told.append(said))

    async def throw_out(self, uplink: Uplink) -> None:
        """End the connection, as the server does when it reads the event."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.link.disconnect(self.device.id))
            await uplink.lost()
            await uplink.disconnect()

    async def send(self, payload: bytes) -> None:
        await self.link.send(Topic(self.device.tenant, self.device.id, Branch.DOWN, "set"), payload)

    async def command(self, payload: bytes) -> None:
        await self.link.tell(Topic(self.device.tenant, self.device.id, Branch.COMMAND), payload)


@pytest.mark.parametrize("library", [AwscrtUplink, PahoUplink])
def test_a_held_device_speaks_with_the_platform_alone(
    site: Site, library: Callable[[UplinkSettings, Clock], Uplink]
) -> None:
    asyncio.run(_hold_and_release(site, library))


async def _hold_and_release(site: Site, library: Callable[[UplinkSettings, Clock], Uplink]) -> None:
    device, witness = await site.device("SN1"), await site.device("SN2")
    async with site.running() as (_, link), asyncio.TaskGroup() as group:
        it = Held(site, device, link, library)
        watching = group.create_task(watch(link, it.upstream))
        good = library(site.uplink_settings(witness), CLOCK)
        await good.connect()
        free = await it.connect()
        # Its session remembers this subscription: it must not outlive the permission.
        await it.listen(free)
        await free.publish(device.topics.up("x"), b"before")
        await until(lambda: it.upstream == [b"before"])

        await hold(site, device)
        await it.throw_out(free)
        held = await it.connect()
        await _speaks_with_the_platform_alone(it, held, good, witness)

        await hold(site, device, until_now=True)
        await it.throw_out(held)
        again = await it.connect()
        await it.listen(again)
        await again.publish(device.topics.up("x"), b"after")
        await it.send(b"after")
        await until(lambda: b"after" in it.upstream and b"after" in it.told)
        assert b"held" not in it.upstream
        assert it.told == [b"while held", b"after"], "what was sent down meanwhile has waited"
        watching.cancel()
        await again.disconnect()
        await good.disconnect()


async def _speaks_with_the_platform_alone(
    it: Held, held: Uplink, good: Uplink, witness: TestDevice
) -> None:
    topics = it.device.topics
    await held.publish(topics.state, it.device.online, retain=True)
    await until(lambda: it.site.registry.rows.presence[it.device.id].online)
    commands: list[bytes] = []
    await held.subscribe(topics.command, lambda _, said: commands.append(said))
    with pytest.raises(HomeportError) as refused:
        await it.listen(held)
    assert refused.value.code is Code.UPSTREAM_REFUSED
    await it.send(b"while held")
    await it.command(b"rekey")
    await held.publish(topics.up("x"), b"held")
    await good.publish(witness.topics.up("x"), b"witness")
    await until(lambda: commands == [b"rekey"])
    await until(lambda: b"witness" in it.upstream)
    assert b"held" not in it.upstream
    assert it.told == []


@in_loop
async def test_nobody_but_the_platform_commands(site: Site) -> None:
    device, neighbour = await site.device("SN1"), await site.device("SN2")
    commands: list[bytes] = []
    async with site.running() as (_, link):
        victim = AwscrtUplink(site.uplink_settings(device), CLOCK)
        await victim.connect()
        await victim.subscribe(device.topics.command, lambda _, said: commands.append(said))
        rogue = AwscrtUplink(site.uplink_settings(neighbour), CLOCK)
        await rogue.connect()
        await rogue.publish(device.topics.command, b"reset, says a neighbour")
        await victim.publish(device.topics.command, b"reset, says it to itself")
        with pytest.raises(HomeportError):
            await rogue.subscribe(device.topics.command, lambda _, __: None)
        await link.tell(Topic(device.tenant, device.id, Branch.COMMAND), b"the platform")
        await until(lambda: commands)
        assert commands == [b"the platform"]
        await victim.disconnect()
        await rogue.disconnect()
