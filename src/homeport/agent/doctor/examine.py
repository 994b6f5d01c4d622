# SPDX-License-Identifier: Apache-2.0
"""All checks in the order in which a device goes: what is wrong first is what is wrong."""

from collections.abc import AsyncIterator

from homeport.agent.doctor.at_home import (
    check_clock,
    check_credential,
    check_identity,
    read_memory,
)
from homeport.agent.doctor.findings import Finding
from homeport.agent.doctor.on_the_way import (
    check_approach,
    check_broker,
    check_dhcp,
    check_interfaces,
)
from homeport.agent.identity import load_identity
from homeport.agent.platforms import Platforms, approach_to
from homeport.agent.settings import AgentSettings
from homeport.agent.timekeeping import Timekeeper
from homeport.clock import SystemClock
from homeport.errors import HomeportError
from homeport.protocols.native.device import TimeSense

ADDRESSES_MAX = 8
"""Looked at; more would take minutes."""


async def examine(settings: AgentSettings, patience: float) -> AsyncIterator[Finding]:
    """Yield the findings; `patience` is for each network check, seconds."""
    try:
        identity = load_identity(settings.identity)
        platforms = Platforms(settings, identity)
    except HomeportError as error:
        yield Finding.of_error("identity", error)
        return
    for finding in check_identity(identity):
        yield finding
    memory, saved, lifetime = read_memory(settings)
    yield memory
    for finding in check_credential(saved):
        yield finding
    yield check_clock(lifetime)
    interfaces = platforms.usable_interfaces()
    yield check_interfaces(interfaces)
    if settings.discovery.dhcp and not platforms.pinned:
        async for finding in check_dhcp(interfaces):
            yield finding
    async for finding in _addresses(platforms, settings, patience):
        yield finding
    if saved.credential is not None:
        async for finding in check_broker(
            platforms, saved.credential, settings.transport, patience
        ):
            yield finding


async def _addresses(
    platforms: Platforms, settings: AgentSettings, patience: float
) -> AsyncIterator[Finding]:
    _, saved, lifetime = read_memory(settings)
    keeper = Timekeeper(SystemClock(), lifetime.signed_time, step=None)
    sense = TimeSense(keeper.floor, keeper.trusted_now())
    known = [approach_to(saved.platform, "voucher")] if saved.platform else []
    found = []
    async with platforms.approaches(known, platforms.home(lifetime), is_home=True) as approaches:
        async for approach in approaches:
            found.append(approach)
            if len(found) == ADDRESSES_MAX:
                break
    for approach in found:
        async for finding in check_approach(platforms, approach, sense, patience):
            yield finding
