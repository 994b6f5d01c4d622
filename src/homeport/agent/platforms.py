# SPDX-License-Identifier: Apache-2.0
"""Which platforms are tried, in which order, and what must prove each of them.

A device that a voucher sent on begins there; then discovery (pinned setting, DHCP, DNS-SD,
default) with the trust from the factory. For a renewal discovery is asked with the trust in the
platform that issued the LDevID, so an edge that moved is found again.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from homeport.address import HTTPS_PORT, platform_url
from homeport.agent.discovery.discover import Stage, discovering, standard_stages
from homeport.agent.discovery.interfaces import Interface, interfaces_up
from homeport.agent.identity import Identity
from homeport.agent.memory.records import Lifetime, Platform
from homeport.agent.settings import AgentSettings
from homeport.errors import Code, HomeportError
from homeport.keys.secret import read_secret
from homeport.protocols.native.device import PlatformTrust, Proxy, Route


@dataclass(frozen=True)
class Approach:
    """One address to try, who named it, and what must prove the platform there."""

    url: str
    source: str
    trust: PlatformTrust
    is_home: bool
    """Whether it is the manufacturer's platform, trusted without a voucher."""
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.url} ({self.source})"

    def platform(self) -> Platform:
        """What to remember of it once it proved itself."""
        return Platform(
            name=self.trust.name,
            url=self.url,
            addresses=self.addresses,
            anchors=self.trust.ders,
            is_home=self.is_home,
        )


def approach_to(platform: Platform, source: str) -> Approach:
    """Make the way back to a platform that proved itself before."""
    trust = PlatformTrust.of(platform.name, platform.anchors)
    return Approach(platform.url, source, trust, platform.is_home, platform.addresses)


class Platforms:
    """Finds platforms for one device."""

    def __init__(
        self,
        settings: AgentSettings,
        identity: Identity,
        interfaces: Callable[[], Sequence[Interface]] = interfaces_up,
    ) -> None:
        """Take settings and identity. Raise SETTING_WRONG if an address or the proxy is wrong."""
        self._discovery = settings.discovery
        self._identity = identity
        self._interfaces = interfaces
        self.pinned = settings.address or identity.device.platform.address
        if self.pinned:
            self.pinned = platform_url(self.pinned)
        self.proxy = read_proxy(settings)

    def home(self, lifetime: Lifetime) -> PlatformTrust:
        """What proves the manufacturer's platform: its anchors from the factory, or rotated."""
        if not lifetime.anchors:
            return self._identity.home
        return PlatformTrust.of(self._identity.home.name, lifetime.anchors)

    def route(self, approach: Approach) -> Route:
        """Say how to get there."""
        parts = urlsplit(approach.url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        return Route(host, port, approach.addresses, self.proxy)

    def usable_interfaces(self) -> Sequence[Interface]:
        """List the network interfaces that may be used, best first."""
        wanted = self._discovery.interfaces
        return [each for each in self._interfaces() if not wanted or each.name in wanted]

    @asynccontextmanager
    async def approaches(
        self, known: Sequence[Approach], trust: PlatformTrust, *, is_home: bool
    ) -> AsyncIterator[AsyncIterator[Approach]]:
        """Give an iterator of addresses to try: `known` first, then what discovery finds.

        Taking the next one means that the earlier ones failed. The body must not raise: what it
        raises would be wrapped by the task group of discovery.
        """
        async with discovering(self._stages()) as found:

            async def following() -> AsyncGenerator[Approach, None]:
                for approach in known:
                    yield approach
                async for candidate in found:
                    yield Approach(
                        candidate.url, candidate.source, trust, is_home, candidate.addresses
                    )

            async with aclosing(following()) as approaches:
                yield approaches

    def _stages(self) -> Sequence[Stage]:
        if self.pinned:
            return standard_stages(pinned=self.pinned, default=None, interfaces=())
        stages = standard_stages(
            pinned=None,
            default=self._identity.device.platform.url or None,
            interfaces=self.usable_interfaces(),
        )
        unwanted = tuple(
            name
            for name, is_wanted in (
                ("DHCP", self._discovery.dhcp),
                ("DNS-SD", self._discovery.dns_sd),
            )
            if not is_wanted
        )
        return [[each for each in stage if not each[0].startswith(unwanted)] for stage in stages]


def read_proxy(settings: AgentSettings) -> Proxy | None:
    """Read the proxy's settings; raise SETTING_WRONG, KEY_STORE_UNAVAILABLE."""
    if not settings.proxy:
        return None
    try:
        parts = urlsplit(settings.proxy)
        port = parts.port
    except ValueError:
        raise HomeportError(Code.SETTING_WRONG, "proxy: not a URL") from None
    if parts.scheme != "http" or not parts.hostname or parts.username or port is None:
        detail = "proxy: http://HOST:PORT, and credentials in their own file"
        raise HomeportError(Code.SETTING_WRONG, detail)
    secret = read_secret(settings.proxy_credentials) if settings.proxy_credentials else None
    return Proxy(parts.hostname, port, secret)
