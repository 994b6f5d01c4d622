# SPDX-License-Identifier: Apache-2.0
"""Which network interfaces are up, with their addresses, read from Linux without any tool.

Sources: `/sys/class/net` (flags, carrier, MAC), `/proc/net/if_inet6`, `/proc/net/route`, and the
ioctl SIOCGIFADDR (netdevice(7)), which gives the primary IPv4 address.
"""

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

MAX_INTERFACES: Final = 8
"""Looked at for discovery; a machine with hundreds of container links asks on the first few."""

_SYS: Final = Path("/sys/class/net")
_PROC: Final = Path("/proc/net")
_SIOCGIFADDR: Final = 0x8915
_IFREQ_SIZE: Final = 40  # bytes of struct ifreq on 64-bit; more than enough on 32-bit
_IFNAMSIZ: Final = 16
_IFF_UP: Final = 0x1
_IFF_LOOPBACK: Final = 0x8
_ARPHRD_ETHER: Final = 1
_MAC_LENGTH: Final = 6
_IFA_F_UNUSABLE: Final = 0x20 | 0x40 | 0x08  # deprecated, tentative, duplicate (if_addr.h)


@dataclass(frozen=True)
class Interface:
    """One interface that is up and has a link. `mac` is empty where there is none (tunnels)."""

    name: str
    index: int
    mac: bytes
    ipv4: IPv4Address | None
    ipv6: tuple[IPv6Address, ...]

    @property
    def link_local(self) -> IPv6Address | None:
        """The fe80:: address that DHCPv6 speaks from."""
        return next((address for address in self.ipv6 if address.is_link_local), None)

    @property
    def has_routable_ipv6(self) -> bool:
        """Whether a router or DHCPv6 gave an address, so that IPv6 is in use here."""
        return any(not address.is_link_local for address in self.ipv6)


@dataclass(frozen=True)
class NetworkFacts:
    """What the enrolment request says of the device's network; for people, never for decisions.

    `mac` is lower-case hexadecimal with colons, or empty; `addresses` are textual, IPv4 first.
    """

    interface: str
    mac: str
    addresses: tuple[str, ...]


def interfaces_up() -> tuple[Interface, ...]:
    """List interfaces with a link and an address, those with a default route first.

    Loopback is left out. At most MAX_INTERFACES.
    """
    ipv6 = parse_if_inet6(_read(_PROC / "if_inet6"))
    routed = parse_default_routes(_read(_PROC / "route"), _read(_PROC / "ipv6_route"))
    found = [_interface(path, ipv6.get(path.name, ())) for path in sorted(_SYS.glob("*"))]
    usable = [each for each in found if each and (each.ipv4 or each.ipv6)]
    usable.sort(key=lambda each: each.name not in routed)
    return tuple(usable[:MAX_INTERFACES])


def network_facts(interface: Interface) -> NetworkFacts:
    """Say what the enrolment request may tell about an interface."""
    addresses = ([interface.ipv4] if interface.ipv4 else []) + list(interface.ipv6)
    return NetworkFacts(
        interface.name, interface.mac.hex(":"), tuple(str(address) for address in addresses)
    )


def parse_if_inet6(text: str) -> Mapping[str, tuple[IPv6Address, ...]]:
    """Read `/proc/net/if_inet6` (address, index, prefix, scope, flags, name): usable addresses."""
    found: dict[str, tuple[IPv6Address, ...]] = {}
    for fields in (line.split() for line in text.splitlines()):
        address, flags, name = fields[0], int(fields[4], 16), fields[5]
        if not flags & _IFA_F_UNUSABLE:
            usable = ipaddress.IPv6Address(bytes.fromhex(address))
            found[name] = (*found.get(name, ()), usable)
    return found


def parse_default_routes(ipv4: str, ipv6: str) -> frozenset[str]:
    """Read `/proc/net/route` and `/proc/net/ipv6_route`: names of interfaces with a default."""
    names = set()
    for fields in (line.split() for line in ipv4.splitlines()[1:]):
        if fields[1] == fields[7] == "00000000":
            names.add(fields[0])
    for fields in (line.split() for line in ipv6.splitlines()):
        if fields[1] == "00" and set(fields[0]) == {"0"} and fields[9] != "lo":
            names.add(fields[9])
    return frozenset(names)


def _interface(path: Path, ipv6: tuple[IPv6Address, ...]) -> Interface | None:
    flags = int(_read(path / "flags") or "0", 16)
    if not flags & _IFF_UP or flags & _IFF_LOOPBACK or _read(path / "carrier") != "1":
        return None
    is_ethernet = _read(path / "type") == str(_ARPHRD_ETHER)
    mac = bytes.fromhex(_read(path / "address").replace(":", "")) if is_ethernet else b""
    return Interface(
        name=path.name,
        index=int(_read(path / "ifindex") or "0"),
        mac=mac if len(mac) == _MAC_LENGTH else b"",
        ipv4=_ipv4_address(path.name),
        ipv6=ipv6,
    )


def _ipv4_address(name: str) -> IPv4Address | None:
    # The kernel takes at most 15 bytes of name; longer ones cannot exist.
    request = name.encode()[: _IFNAMSIZ - 1].ljust(_IFREQ_SIZE, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFADDR, request)
        except OSError:  # EADDRNOTAVAIL: none; ENODEV: the interface went away meanwhile
            return None
    # struct sockaddr_in follows the name: family and port (2 bytes each), then the address.
    (address,) = struct.unpack_from("!4s", answer, _IFNAMSIZ + 4)
    return IPv4Address(address)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # an interface may go away between listing and reading; no IPv6 in the kernel
        return ""
