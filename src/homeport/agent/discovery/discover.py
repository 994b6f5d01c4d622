# SPDX-License-Identifier: Apache-2.0
"""Asking the sources, lazily: a stage is asked only when all earlier candidates have failed.

Within a stage all sources are asked at once, and whoever answers first is tried first: waiting
costs round trips. A source that fails says why in the log and is passed over.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial

from homeport.address import https_url, platform_url
from homeport.agent.discovery import dhcp4, dhcp6, services
from homeport.agent.discovery.candidates import MAX_CANDIDATES, Candidate, Seen, Source
from homeport.agent.discovery.exchange import Timing
from homeport.agent.discovery.interfaces import Interface
from homeport.errors import HomeportError, MalformedError

logger = logging.getLogger(__name__)

Ask = Callable[[], AsyncGenerator[Candidate, None]]
Stage = Sequence[tuple[str, Ask]]
"""Sources that are asked at once, each with its name for the log."""


@asynccontextmanager
async def discovering(stages: Sequence[Stage]) -> AsyncIterator[AsyncIterator[Candidate]]:
    """Give an iterator of candidates in the order of trying; leaving ends all that still runs.

    Taking the next candidate means that the earlier ones failed.
    """
    async with asyncio.TaskGroup() as group, aclosing(_candidates(stages, group)) as found:
        yield found


def standard_stages(
    *,
    pinned: str | None,
    default: str | None,
    interfaces: Sequence[Interface],
    timing: Timing | None = None,
) -> tuple[Stage, ...]:
    """Make the stages of product decision 4: pinned, DHCP on every interface, DNS-SD, default."""
    ask4, ask6 = dhcp4.ask_bootstrap_servers, dhcp6.ask_bootstrap_servers
    asked = [
        (f"DHCPv4 on {each.name}", _dhcp(partial(ask4, each, timing)))
        for each in interfaces
        if each.ipv4
    ]
    # Without a routable address nobody runs IPv6 here: DHCPv6 would only cost the whole patience.
    asked += [
        (f"DHCPv6 on {each.name}", _dhcp(partial(ask6, each, timing)))
        for each in interfaces
        if each.has_routable_ipv6
    ]
    return (
        (("pinned setting", _fixed(pinned, Source.PINNED)),) if pinned else (),
        tuple(asked),
        (("DNS-SD", _dns_sd),) if interfaces else (),
        (("default address", _fixed(default, Source.DEFAULT)),) if default else (),
    )


async def _candidates(
    stages: Sequence[Stage], group: asyncio.TaskGroup
) -> AsyncGenerator[Candidate, None]:
    seen = Seen()
    for stage in stages:
        queue: asyncio.Queue[Candidate | None] = asyncio.Queue(MAX_CANDIDATES)
        tasks = [
            group.create_task(_fill(name, ask, queue), name=f"discovery: {name}")
            for name, ask in stage
        ]
        try:
            silent = 0
            while silent < len(tasks):
                candidate = await queue.get()
                if candidate is None:
                    silent += 1
                elif seen.is_new(candidate):
                    yield candidate
        finally:
            for task in tasks:
                task.cancel()


async def _fill(name: str, ask: Ask, queue: asyncio.Queue[Candidate | None]) -> None:
    offered = 0
    try:
        async with aclosing(ask()) as answers:
            async for candidate in answers:
                logger.info("%s offers %s", name, candidate.url)
                offered += 1
                await queue.put(candidate)
    except PermissionError as error:
        logger.warning("%s: not allowed (%s); needs CAP_NET_BIND_SERVICE", name, error)
    except (OSError, HomeportError) as error:
        logger.warning("%s: %s", name, error)
    else:
        if not offered:
            logger.info("%s offers nothing", name)
    await queue.put(None)


def _fixed(url: str, source: Source) -> Ask:
    async def ask() -> AsyncGenerator[Candidate, None]:
        yield Candidate(platform_url(url), source)

    return ask


def _dhcp(asking: Callable[[], Awaitable[tuple[str, ...] | None]]) -> Ask:
    async def ask() -> AsyncGenerator[Candidate, None]:
        urls = await asking()
        if urls is None:
            raise TimeoutError("no answer")
        for url in urls:
            yield Candidate(url, Source.DHCP)

    return ask


async def _dns_sd() -> AsyncGenerator[Candidate, None]:
    async with aclosing(services.browse()) as found:
        async for service in found:
            try:
                url = https_url(service.host, service.port)
            except MalformedError as error:
                logger.warning("DNS-SD: a service was passed over: %s", error.detail)
                continue
            yield Candidate(url, Source.DNS_SD, service.addresses)
