# SPDX-License-Identifier: Apache-2.0
"""The twin through a real broker, with somebody else's MQTT client on the device's side.

What a device is told is retained: it arrives whenever it subscribes, also when platform or broker
were away in between. What it says is taken at least once; garbage and lies change nothing.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fakes.broker_site import CLOCK, NAME, Site, TestDevice, until
from fakes.in_loop import in_loop
from homeport.broker import states
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.domain.context.twin import Twin
from homeport.domain.device import Device
from homeport.protocols.mqtt.device.credentials import NamedContext, file_key_pem
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.context.change_desired import change_desired
from homeport.provisioning.context.forget_context import forget_context
from homeport.server.audit.trail import Trail
from homeport.server.reactions.pushing import NEWS, Pushing


class StockDevice:
    """A device that speaks MQTT with a client that is not ours."""

    def __init__(self, site: Site, device: TestDevice) -> None:
        self._site, self.device = site, device
        self.told: list[tuple[dict[str, Any], bool]] = []
        """What arrived at `desired`, and whether it was retained."""

    @property
    def versions(self) -> list[int]:
        return [told["version"] for told, _ in self.told]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=str(self.device.id))
        client.tls_set_context(self._context())
        client.on_connect = lambda c, *_: c.subscribe(self.device.topics.desired, 1)
        client.on_message = lambda _c, _u, m: self.told.append((json.loads(m.payload), m.retain))
        await asyncio.to_thread(client.connect, "127.0.0.1", self._site.port)
        client.loop_start()
        await until(client.is_connected)
        self._client = client
        try:
            yield
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def say(self, message: object, topic: str | None = None, *, retain: bool = False) -> None:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        sent = self._client.publish(topic or self.device.topics.reported, payload, 1, retain)
        await asyncio.to_thread(sent.wait_for_publish, 20)

    def _context(self) -> ssl.SSLContext:
        context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.server_name = NAME
        context.load_verify_locations(cadata=self._site.root.pem.decode())
        path = self._site.directory / "stock.pem"
        path.write_bytes(self.device.chain + file_key_pem(self.device.key_uri))
        context.load_cert_chain(path)
        return context


@asynccontextmanager
async def pushing(site: Site, link: BrokerLink) -> AsyncIterator[None]:
    """The platform's half, as `compose` puts it together."""
    push = Pushing(link, site.registry, CLOCK)
    trail = Trail(site.registry, CLOCK, {name: [push.of_event] for name in NEWS})
    async with site.serving(link), asyncio.TaskGroup() as group:
        tasks = [group.create_task(push.work()), group.create_task(trail.follow())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def platform(site: Site) -> AsyncIterator[None]:
    async with (
        EmbeddedBroker(site.settings) as broker,
        BrokerLink(broker.access) as link,
        pushing(site, link),
    ):
        yield


def known(site: Site, device: TestDevice) -> Device:
    return site.registry.rows.devices[device.id]


async def desire(site: Site, device: TestDevice, patch: dict[str, Any]) -> Twin:
    now = datetime.now(UTC)
    return await site.registry.transact(
        lambda tx: change_desired(tx, known(site, device), patch, actor="ann", now=now)
    )


async def describe(site: Site, device: TestDevice, patch: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    await site.registry.transact(
        lambda tx: change_context(tx, known(site, device), patch, actor="ann", now=now)
    )


def twin(site: Site, device: TestDevice) -> Twin:
    return site.registry.rows.twins[device.id]


def is_pushed(site: Site, device: TestDevice) -> bool:
    return twin(site, device).pushed == twin(site, device).version


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@in_loop
async def test_what_was_set_while_the_device_was_away_awaits_it(site: Site) -> None:
    device = await site.device("SN1")
    stock = StockDevice(site, device)
    async with platform(site):
        await describe(site, device, {"name": "Pump 3", "tags": ["x"], "attributes": {"floor": 2}})
        await desire(site, device, {"setpoint": 21.5})
        await until(lambda: is_pushed(site, device), 5)
        async with stock.connected():
            await until(lambda: stock.told)
            assert stock.told[0] == (
                {
                    "version": 2,
                    "context": {"name": "Pump 3", "attributes": {"floor": 2}},
                    "desired": {"setpoint": 21.5},
                },
                True,
            )
            await desire(site, device, {"setpoint": 22})
            await until(lambda: stock.versions[-1] == 3, 1)
            assert stock.told[-1][1] is False, "who listens gets it at once"
            await until(lambda: is_pushed(site, device), 5)
        stock.told.clear()
        async with stock.connected():
            await until(lambda: stock.told)
            assert stock.told[0][0]["version"] == 3


@in_loop
async def test_what_was_changed_while_nobody_pushed_is_pushed_later(site: Site) -> None:
    device = await site.device("SN1")
    stock = StockDevice(site, device)
    await desire(site, device, {"a": 1})
    async with EmbeddedBroker(site.settings) as broker:
        async with BrokerLink(broker.access) as link, pushing(site, link), stock.connected():
            await until(lambda: stock.versions and is_pushed(site, device))
        await desire(site, device, {"a": 2})  # by a command, while no platform runs
        async with BrokerLink(broker.access) as link, pushing(site, link), stock.connected():
            await until(lambda: stock.versions[-1] == 2)
    async with platform(site), stock.connected():
        await until(lambda: stock.versions[-1] == 2 and stock.told[-1][1])
    assert stock.told[-1][0]["desired"] == {"a": 2}


@in_loop
async def test_a_device_reports_and_repeats_and_lies(site: Site) -> None:
    device, other = await site.device("SN1"), await site.device("SN2")
    stock = StockDevice(site, device)
    async with platform(site), stock.connected():
        await desire(site, device, {"a": 1})
        begin = {"series": "s", "counter": 1, "document": {"firmware": "1", "n": 1}}
        await stock.say(begin)
        await stock.say({"series": "s", "counter": 2, "patch": {"n": 2}, "applied": 1})
        await stock.say(begin)  # again, late
        for garbage in (
            b"",
            b"\xff\xfe",
            b"[]",
            b"{" * 5000,
            b'{"series":"s","counter":3,"patch":{"n":NaN}}',
            bytes(200_000),
            {"series": "s", "counter": 3, "document": {"a": "x" * 9000}},
            {"series": "s", "counter": 3, "patch": {"n": None, "deep": [[[[[[[[[[[1]]]]]]]]]]]}},
            {"series": "s", "counter": -1, "patch": {"n": 9}},
        ):
            await stock.say(garbage)
        lie = {"series": "s", "counter": 9, "document": {"owned": True}}
        for foreign in (
            device.topics.desired,
            other.topics.reported,
            other.topics.desired,
            f"hp/other/{device.id}/twin/reported",
            f"$MQTT/rmsgs/hp/acme/{device.id}/twin/desired",
        ):
            await stock.say(lie, foreign)
        await stock.say({"series": "s", "counter": 3, "patch": {"last": True}, "applied": 99})
        await until(lambda: "last" in twin(site, device).reported)
        assert twin(site, device).reported == {"firmware": "1", "n": 2, "last": True}
        assert twin(site, device).applied == 1
        assert other.id not in site.registry.rows.twins
        await until(lambda: is_pushed(site, device), 5)
        assert set(stock.versions) == {1}


@in_loop
async def test_a_report_that_nobody_took_is_taken_later(site: Site) -> None:
    device = await site.device("SN1")
    stock = StockDevice(site, device)
    async with EmbeddedBroker(site.settings) as broker:
        async with BrokerLink(broker.access) as link, pushing(site, link), stock.connected():
            await stock.say({"series": "s", "counter": 1, "document": {"n": 1}})
            await until(lambda: device.id in site.registry.rows.twins)
        async with BrokerLink(broker.access) as link, asyncio.TaskGroup() as group:
            admitting = group.create_task(link.serve_callout(site.admit))
            async with stock.connected():
                await stock.say({"series": "s", "counter": 2, "patch": {"n": 2}})
            admitting.cancel()
        assert twin(site, device).reported == {"n": 1}
        async with BrokerLink(broker.access) as link, pushing(site, link):
            await until(lambda: twin(site, device).reported == {"n": 2})


@in_loop
async def test_what_an_earlier_owner_set_is_gone(site: Site) -> None:
    device = await site.device("SN1")
    stock = StockDevice(site, device)
    async with platform(site):
        await desire(site, device, {"door": "1234"})
        async with stock.connected():
            await until(lambda: stock.versions and is_pushed(site, device))
        now = datetime.now(UTC)
        await site.registry.transact(
            lambda tx: forget_context(tx, known(site, device), actor="ann", now=now)
        )
        await until(lambda: is_pushed(site, device), 5)
        assert twin(site, device).kept_for is None
        async with stock.connected():
            stock.told.clear()
            await desire(site, device, {"b": 1})
            await until(lambda: stock.told)
    assert stock.told[-1] == ({"version": 4, "context": {}, "desired": {"b": 1}}, False)


@in_loop
async def test_a_store_that_a_device_filled_cuts_nobody_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "RETAINED_COUNT", 3)
    hostile, device = await site.device("SN1"), await site.device("SN2")
    attacker, stock = StockDevice(site, hostile), StockDevice(site, device)
    async with platform(site):
        async with attacker.connected():
            for number in range(5):
                await attacker.say(b"x", hostile.topics.up(str(number)), retain=True)
        async with stock.connected():
            await desire(site, device, {"a": 1})
            await until(lambda: stock.versions)
            assert stock.told[0] == ({"version": 1, "context": {}, "desired": {"a": 1}}, False)
            assert not is_pushed(site, device), "and it is tried again until it is retained"
