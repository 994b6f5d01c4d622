# SPDX-License-Identifier: Apache-2.0
"""A device that fills the broker's store with retained messages, which MQTT lets everybody do."""

from dataclasses import replace
from pathlib import Path

import nats
import pytest

from fakes.broker_site import CLOCK, Site, until
from fakes.in_loop import in_loop
from homeport.broker import states
from homeport.broker.access import BrokerAccess
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.broker.retained import STREAM as RETAINED
from homeport.broker.settings import MIB
from homeport.broker.states import RETAINED_MAX_BYTES
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def kept(access: BrokerAccess) -> tuple[int, int]:
    """Messages that the broker retains, and their octets."""
    client = await nats.connect(access.urls[0], nkeys_seed_str=access.platform.reveal())
    try:
        state = (await client.jetstream().stream_info(RETAINED)).state
        return state.messages, state.bytes
    finally:
        await client.close()


@in_loop
async def test_retained_messages_do_not_fill_the_store(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "RETAINED_BYTES", 8 * MIB)
    monkeypatch.setattr(states, "RETAINED_COUNT", 5)
    small = replace(site.settings, storage_bytes=16 * MIB)
    attacker, late = await site.device("EX-BAD"), await site.device("EX-LATE")
    # Twice: the limits hold for a store that is there already, too.
    for _ in range(2):
        async with (
            EmbeddedBroker(small) as broker,
            BrokerLink(broker.access) as link,
            site.serving(link),
        ):
            uplink = AwscrtUplink(site.uplink_settings(attacker), CLOCK)
            await uplink.connect()
            for number in range(100):
                topic = attacker.topics.up(f"large/{number}")
                await uplink.publish(topic, bytes(200_000), retain=True)
            for number in range(20):
                await uplink.publish(attacker.topics.up(f"small/{number}"), b"x", retain=True)
            messages, octets = await kept(broker.access)
            assert messages <= 5
            assert octets <= 5 * (RETAINED_MAX_BYTES + 1024)
            # Who comes late is let in, and heard.
            neighbour = AwscrtUplink(site.uplink_settings(late), CLOCK)
            await neighbour.connect()
            await neighbour.publish(late.topics.state, late.online, retain=True)
            await until(lambda: site.registry.rows.presence.get(late.id))
            await neighbour.disconnect()
            await uplink.disconnect()
        site.registry.rows.presence.clear()
