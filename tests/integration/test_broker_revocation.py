# SPDX-License-Identifier: Apache-2.0
"""Revoking disconnects at once and keeps out; a second device is the witness that others stay."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, Site, until
from fakes.in_loop import in_loop
from homeport.broker.kick import sweep
from homeport.domain.credential import CredentialState
from homeport.domain.topics import Branch, Topic
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.provisioning.admit import Admission

AT_ONCE = 1.0
"""Seconds: the aim. Measured: 3 ms."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@in_loop
async def test_a_revoked_device_is_out_at_once_and_stays_out(site: Site) -> None:
    revoked, witness = await site.device("SN1"), await site.device("SN2")
    heard: list[bytes] = []
    async with site.running() as (_, link), asyncio.TaskGroup() as group:
        good = AwscrtUplink(site.uplink_settings(witness), CLOCK)
        await good.connect()
        await good.subscribe(witness.topics.every_down, lambda _, said: heard.append(said))
        bad = AwscrtUplink(site.uplink_settings(revoked), CLOCK)
        await bad.connect()
        await bad.publish(revoked.topics.state, revoked.online, retain=True)
        await until(lambda: site.states.counted == 1)

        await site.set_state(revoked, CredentialState.REVOKED)
        begun = time.monotonic()
        ending = group.create_task(link.disconnect(revoked.id))
        await bad.lost()
        assert time.monotonic() - begun < AT_ONCE
        await until(lambda: not site.registry.rows.presence[revoked.id].online)

        for settings in (
            site.uplink_settings(revoked),
            site.uplink_settings(revoked, port=site.websocket_port, websocket_path="/mqtt"),
        ):
            with pytest.raises(HomeportError) as failed:
                await AwscrtUplink(settings, CLOCK).connect()
            assert failed.value.code is Code.UPSTREAM_REFUSED
        await link.send(Topic(witness.tenant, witness.id, Branch.DOWN, "x"), b"still here")
        await until(lambda: heard)
        assert await ending == 1
        await good.disconnect()
        await bad.disconnect()


async def _until_thrown_out(uplink: AwscrtUplink) -> None:
    with suppress(HomeportError):
        await uplink.connect()
        await uplink.lost()


@in_loop
async def test_a_log_in_that_was_under_way_is_caught(site: Site) -> None:
    device = await site.device("SN1")
    asked, answer = asyncio.Event(), asyncio.Event()
    admit = site.admit

    async def slow(shown: str, client_id: str) -> Admission:
        admission = await admit(shown, client_id)
        asked.set()
        await answer.wait()
        return admission

    site.admit = slow  # type: ignore[method-assign]
    async with site.running() as (_, link), asyncio.TaskGroup() as group:
        uplink = AwscrtUplink(site.uplink_settings(device), CLOCK)
        connecting = group.create_task(_until_thrown_out(uplink))
        await asked.wait()  # the registry has said yes; the broker does not know it yet
        await site.set_state(device, CredentialState.REVOKED)
        ending = group.create_task(link.disconnect(device.id))
        await asyncio.sleep(0.1)
        answer.set()
        # It never gets in, or is thrown out by a later look.
        await connecting
        assert await ending >= 1
        assert await sweep(link._system, device.id) == 0
        await uplink.disconnect()


@in_loop
async def test_disconnecting_nobody_is_no_error(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running() as (_, link):
        assert await sweep(link._system, device.id) == 0
