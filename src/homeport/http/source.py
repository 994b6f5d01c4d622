# SPDX-License-Identifier: Apache-2.0
"""From where a request comes: for rates and logs, never for trust."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from homeport.http.asgi import Scope

Networks = Sequence[IPv4Network | IPv6Network]

UNKNOWN: Final = "unknown"
"""Where the web server told no address (a Unix socket)."""

IPV6_PREFIX: Final = 64
"""Bits. Whoever has one IPv6 address has the whole /64 (RFC 4291 section 2.5.4) and could use a
new address for every request."""

FORWARDED_MAX: Final = 8
"""Proxies in a row that are looked at; a sender may write as many as it likes."""


def peer_address(scope: Scope, proxies: Networks = ()) -> str:
    """Return the address that the request comes from.

    Behind one of our `proxies` it is what that proxy wrote last into X-Forwarded-For; what stands
    left of the first address that is no proxy of ours was written by the sender, and is not
    believed.
    """
    peer = scope.get("client")
    address = _unmapped(peer[0]) if peer else UNKNOWN
    if not proxies or not _is_within(address, proxies):
        return address
    # Several lines are one list (RFC 9110 section 5.3); a proxy may write its own below.
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    forwarded = b",".join(lines).decode("ascii", "replace")
    for hop in reversed(forwarded.rsplit(",", FORWARDED_MAX)[-FORWARDED_MAX:]):
        if not _is_address(hop.strip()):
            return address
        address = hop.strip()
        if not _is_within(address, proxies):
            return address
    return address


def source_of(address: str) -> str:
    """Return what shares one rate: an IPv4 address, or an IPv6 /64; anything else is itself."""
    return _prefix(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _prefix(address: str) -> str:
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if parsed.ipv4_mapped is not None:  # an IPv4 peer at a dual-stack socket
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))


def _unmapped(address: str) -> str:
    """An IPv4 peer at a dual-stack socket, as people write it (RFC 4291 section 2.5.5.2)."""
    return address.removeprefix("::ffff:") if "." in address else address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
