# SPDX-License-Identifier: Apache-2.0
"""Checks of the way to the platform and the broker: interfaces, DHCP, DNS, TCP, TLS, greeting."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from urllib.parse import urlsplit

from homeport.agent.discovery import dhcp4, dhcp6
from homeport.agent.discovery.interfaces import Interface
from homeport.agent.doctor.findings import Finding, Verdict, doubtful, good, skipped
from homeport.agent.memory.records import Credential
from homeport.agent.platforms import Approach, Platforms
from homeport.agent.settings import Transport
from homeport.errors import HomeportError
from homeport.protocols.native.device import PlatformConnection, TimeSense

CABLE = "Plug in the cable, or check Wi-Fi: ip addr."
FIREWALL = "Check address, firewall and proxy."


def check_interfaces(interfaces: Sequence[Interface]) -> Finding:
    """Which interfaces may be used."""
    if not interfaces:
        return Finding("interfaces", Verdict.BAD, "none has a link and an address", CABLE)
    shown = (f"{each.name} {each.ipv4 or each.link_local}" for each in interfaces)
    return good("interfaces", ", ".join(shown))


async def check_dhcp(interfaces: Sequence[Interface]) -> AsyncIterator[Finding]:
    """What the options 143 and 136 say."""
    for interface in interfaces:
        for check, is_wanted, ask in (
            (f"DHCP option 143 on {interface.name}", interface.ipv4, dhcp4.ask_bootstrap_servers),
            (
                f"DHCPv6 option 136 on {interface.name}",
                interface.has_routable_ipv6,
                dhcp6.ask_bootstrap_servers,
            ),
        ):
            if not is_wanted:
                continue
            try:
                urls = await ask(interface)
            except PermissionError:
                advice = "Run as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW."
                yield doubtful(check, "not allowed to ask", advice)
            except (OSError, HomeportError) as error:
                yield doubtful(check, str(error), "Check the DHCP server.")
            else:
                yield good(check, ", ".join(urls)) if urls else skipped(check, "not given")


async def check_approach(
    platforms: Platforms, approach: Approach, sense: TimeSense, patience: float
) -> AsyncIterator[Finding]:
    """One address: DNS, TCP, TLS, greeting; stops at the first that fails."""
    route = platforms.route(approach)
    host, port = (route.proxy.host, route.proxy.port) if route.proxy else (route.host, route.port)
    async with aclosing(_reach(host, port, str(approach), patience)) as steps:
        async for finding in steps:
            yield finding
            if finding.verdict is Verdict.BAD:
                return
    connection = PlatformConnection(route, approach.trust, sense)
    try:
        await asyncio.to_thread(connection.open)
        yield good(f"TLS {approach}", f"it is {approach.trust.name}")
        greeting = await asyncio.to_thread(connection.greet)
        yield good(f"greeting {approach}", f"{greeting.name}, enrols at {greeting.enrol}")
    except HomeportError as error:
        yield Finding.of_error(f"platform {approach}", error)
    finally:
        connection.close()


async def check_broker(
    platforms: Platforms, credential: Credential, transport: Transport, patience: float
) -> AsyncIterator[Finding]:
    """Whether the broker's ports can be reached; logging in would disturb the running agent."""
    for endpoint in credential.endpoints:
        if transport not in {Transport.AUTO, endpoint.protocol}:
            continue
        reached = urlsplit(credential.platform.url).hostname or endpoint.host
        host = reached if endpoint.host.lower() == credential.platform.name else endpoint.host
        check = f"{endpoint.protocol} {host}:{endpoint.port}"
        if platforms.proxy:
            yield skipped(check, "reached through the proxy")
            continue
        async with aclosing(_reach(host, endpoint.port, check, patience)) as steps:
            async for finding in steps:
                yield finding


async def _reach(host: str, port: int, what: str, patience: float) -> AsyncGenerator[Finding, None]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        yield Finding(
            f"DNS {host}", Verdict.BAD, _reason(error), "Check /etc/resolv.conf, or use --address."
        )
        return
    addresses = sorted({str(address[4][0]) for address in found})
    if addresses != [host]:
        yield good(f"DNS {host}", ", ".join(addresses))
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        yield Finding(f"TCP {what}", Verdict.BAD, _reason(error), FIREWALL)
        return
    writer.close()
    yield good(f"TCP {what}", f"{host}:{port} answers")


def _reason(error: OSError) -> str:
    """Say it in words, without the number that asyncio and the resolver put before them."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return "no answer in time"
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
