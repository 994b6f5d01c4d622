# SPDX-License-Identifier: Apache-2.0
"""As many subscriptions as there are devices: the server's own limit of 1000 is not ours."""

import asyncio
from pathlib import Path

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from fakes.broker_site import Site
from fakes.in_loop import in_loop

LIMIT = 1_000
"""`default_max_consumers` of nats-server 2.15, for each stream."""
AT_ONCE = 50


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@in_loop
async def test_subscriptions_are_not_limited(site: Site) -> None:
    async with site.running() as (_, link):
        jetstream = link._platform.jetstream()
        # As the stream of MQTT's messages of QoS 1, where each subscription is a consumer.
        stream = StreamConfig(
            name="S",
            subjects=["s.>"],
            retention=RetentionPolicy.INTEREST,
            storage=StorageType.MEMORY,
        )
        await jetstream.add_stream(stream)

        async def subscribe(numbers: range) -> None:
            for number in numbers:
                await jetstream.add_consumer(
                    "S",
                    ConsumerConfig(
                        durable_name=f"c{number}",
                        deliver_subject=f"d{number}",
                        filter_subject=f"s.{number}",
                        ack_policy=AckPolicy.EXPLICIT,
                    ),
                )

        await asyncio.gather(*(subscribe(range(n, LIMIT + 1, AT_ONCE)) for n in range(AT_ONCE)))
        assert (await jetstream.stream_info("S")).state.consumer_count == LIMIT + 1
