# SPDX-License-Identifier: Apache-2.0
"""The audit trail at the broker: in order, each once, none lost, and not for devices."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from fakes.broker_site import CLOCK, Site, until
from fakes.in_loop import in_loop
from fakes.sealed_trail import record
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.events import STREAM
from homeport.broker.link import BrokerLink
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.server.audit.publishing import Publishing


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@asynccontextmanager
async def publishing(site: Site, link: BrokerLink) -> AsyncIterator[None]:
    """Publish meanwhile; then it is killed."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Publishing(site.registry, link.events(), CLOCK).keep())
        yield
        task.cancel()


def jetstream(link: BrokerLink) -> JetStreamContext:
    """As a program of the operator's that has a user in the account."""
    return link._platform.jetstream()


async def until_published(link: BrokerLink, cursor: int) -> None:
    async with asyncio.timeout(20):
        while (await link.events().last())[0] < cursor:  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(0.01)


async def everything(link: BrokerLink, subject: str = "hp-events.>") -> list[tuple[int, str]]:
    """Cursor and subject of all that is there."""
    found: list[tuple[int, str]] = []
    consumer = await jetstream(link).subscribe(
        subject, stream=STREAM, ordered_consumer=True, deliver_policy=DeliverPolicy.ALL
    )
    pending = 1
    while pending:
        message = await consumer.next_msg(timeout=5)
        assert json.loads(message.data)["cursor"] == message.metadata.sequence.stream
        found.append((message.metadata.sequence.stream, message.subject))
        pending = message.metadata.num_pending
    await consumer.unsubscribe()
    return found


@in_loop
async def test_every_event_has_its_cursor_as_its_number(site: Site) -> None:
    async with site.running() as (_, link), publishing(site, link):
        await record(site.registry, 150)
        await until_published(link, 150)
        found = await everything(link)
        assert [cursor for cursor, _ in found] == list(range(1, 151))
        assert found[0] == (1, "hp-events.acme.enrolment.started")
        assert found[2] == (3, "hp-events._platform.enrolment.started")


@in_loop
async def test_a_tenants_pattern_gives_its_own_events_only(site: Site) -> None:
    async with site.running() as (_, link), publishing(site, link):
        await record(site.registry, 30)
        await until_published(link, 30)
        theirs = await everything(link, "hp-events.acme.>")
        assert [cursor for cursor, _ in theirs] == [n for n in range(1, 31) if n % 3]


@in_loop
async def test_killed_and_resumed_nothing_is_lost_or_said_twice(site: Site) -> None:
    async with site.running() as (_, link):
        for count in (3, 200, 1, 70):
            async with publishing(site, link):
                await record(site.registry, count)
                await asyncio.sleep(0.001 * count)  # cut off somewhere
        async with publishing(site, link):
            await until_published(link, 274)
        assert [cursor for cursor, _ in await everything(link)] == list(range(1, 275))


@in_loop
async def test_two_who_publish_do_no_harm(site: Site) -> None:
    async with (
        site.running() as (_, link),
        publishing(site, link),
        publishing(site, link),
    ):
        for _ in range(5):
            await record(site.registry, 40)
            await until_published(link, await site.registry.read(lambda tx: tx.audit.last()))
        assert [cursor for cursor, _ in await everything(link)] == list(range(1, 201))


@in_loop
async def test_a_consumer_that_was_killed_goes_on_and_may_begin_at_a_cursor(site: Site) -> None:
    async with site.running() as (_, link), publishing(site, link):
        await record(site.registry, 20)
        await until_published(link, 20)
        await jetstream(link).add_consumer(
            STREAM,
            ConsumerConfig(
                durable_name="program",
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=11,
            ),
        )
        seen: list[int] = []
        for count in (4, 6, 3):
            program = await jetstream(link).pull_subscribe_bind("program", STREAM)
            await record(site.registry, 1)
            await until_published(link, 20 + (len(seen) + 5) // 5 - (len(seen) > 9))
            for message in await program.fetch(count, timeout=5):
                seen.append(json.loads(message.data)["cursor"])
                await message.ack_sync()
            await program.unsubscribe()  # killed: it asks anew next time
        assert seen == list(range(11, 24))


@in_loop
async def test_a_broker_that_was_away_gets_what_it_missed(site: Site) -> None:
    async with EmbeddedBroker(site.settings) as broker, BrokerLink(broker.access) as link:
        async with publishing(site, link):
            await record(site.registry, 5)
            await until_published(link, 5)
            assert broker.pid is not None
            import os
            import signal

            os.kill(broker.pid, signal.SIGKILL)
            await record(site.registry, 5)
            await until(lambda: broker.restarts == 1 and link.is_connected)
            await until_published(link, 10)
        assert [cursor for cursor, _ in await everything(link)] == list(range(1, 11))


@in_loop
async def test_another_history_begins_the_stream_anew(site: Site) -> None:
    async with site.running() as (_, link):
        async with publishing(site, link):
            await record(site.registry, 9)
            await until_published(link, 9)
        site.registry.rows.audit.clear()  # put back from a backup
        async with publishing(site, link):
            await record(site.registry, 4)
            await until(lambda: True)
            async with asyncio.timeout(20):
                while (await link.events().last())[0] != 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert [cursor for cursor, _ in await everything(link)] == [1, 2, 3, 4]


@in_loop
async def test_a_history_of_the_same_length_is_told_from_this_one(site: Site) -> None:
    async with site.running() as (_, link):
        async with publishing(site, link):
            await record(site.registry, 3)
            await until_published(link, 3)
        events = site.registry.rows.audit
        from dataclasses import replace

        events[2] = replace(events[2], actor="somebody else")
        async with publishing(site, link):
            async with asyncio.timeout(20):
                while True:
                    _, document = await link.events().last()
                    if document and document["actor"] == "somebody else":
                        break
                    await asyncio.sleep(0.01)


@in_loop
async def test_a_gap_between_cursors_is_filled(site: Site) -> None:
    async with site.running() as (_, link):
        await record(site.registry, 6)
        events = await site.registry.read(lambda tx: tx.audit.since(0))
        stream = link.events()
        await stream.last()
        await stream.publish(0, [events[1], events[4]])
        assert (await stream.last())[0] == 5
        info = await jetstream(link).stream_info(STREAM, subjects_filter="hp-events._gap")
        assert (info.state.subjects or {}) == {"hp-events._gap": 3}


@in_loop
async def test_what_would_get_another_number_is_refused_with_all_that_follows(site: Site) -> None:
    async with site.running() as (_, link):
        await record(site.registry, 100)
        events = await site.registry.read(lambda tx: tx.audit.since(0))
        stream = link.events()
        await stream.last()
        await stream.publish(0, events[:1])
        with pytest.raises(HomeportError) as caught:
            await stream.publish(2, events[2:])
        assert caught.value.code is Code.BROKER_UNAVAILABLE
        assert (await stream.last())[0] == 1


@in_loop
async def test_no_device_reads_or_writes_events(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running() as (_, link), publishing(site, link):
        for pattern in ("hp-events/#", "hp-events/acme/#", "hp-events/+/device/assigned", "#"):
            uplink = AwscrtUplink(site.uplink_settings(device), CLOCK)
            await uplink.connect()
            heard: list[Any] = []
            with suppress(HomeportError):  # refused, as it should be
                await uplink.subscribe(pattern, lambda *said, heard=heard: heard.append(said))
            await record(site.registry, 3)
            await until_published(link, len(site.registry.rows.audit))
            # What the device may hear comes after what it may not.
            await uplink.publish("hp-events/acme/device/assigned", b"forged", retain=False)
            await uplink.publish(device.topics.state, device.online, retain=True)
            await until(lambda: site.states.counted > 0)
            assert heard == []
            site.states.counted = 0
            await uplink.disconnect()
        await until_published(link, len(site.registry.rows.audit))
        told = [cursor for cursor, _ in await everything(link)]
        assert told == [event.cursor for event in site.registry.rows.audit]


@in_loop
async def test_an_event_is_there_within_a_second(site: Site) -> None:
    async with site.running() as (_, link), publishing(site, link):
        await record(site.registry, 1)
        await until_published(link, 1)
        began = time.monotonic()
        await record(site.registry, 1)
        await until_published(link, 2)
        assert time.monotonic() - began < 1
