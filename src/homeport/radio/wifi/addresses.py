# SPDX-License-Identifier: Apache-2.0
"""Which addresses an interface has, and when that changes: the kernel's own word (rtnetlink).

The DHCP client is the board's own affair. What it does shows here, whatever it is: an address
appears, or the present one is renewed. rtnetlink(7); numbers from linux/rtnetlink.h and if_addr.h.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from homeport.errors import Code, HomeportError

RTM_NEWADDR: Final = 20
RTM_GETADDR: Final = 22
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLM_F_REQUEST_DUMP: Final = 0x301
"""NLM_F_REQUEST | NLM_F_DUMP."""
RTMGRP_ADDRESSES: Final = 0x10 | 0x100
"""RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR."""
IFA_ADDRESS: Final = 1
IFA_LOCAL: Final = 2
IFA_CACHEINFO: Final = 6
IFA_F_PERMANENT: Final = 0x80
IFA_F_UNUSABLE: Final = 0x08 | 0x40
"""IFA_F_DADFAILED | IFA_F_TENTATIVE."""
READ_SIZE: Final = 65_536

_HEADER: Final = struct.Struct("=LHHLL")
_ADDRESS: Final = struct.Struct("=BBBBl")
_ATTRIBUTE: Final = struct.Struct("=HH")
_CACHE: Final = struct.Struct("=LLLL")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that others can reach, and how it came."""

    address: str
    is_permanent: bool
    """It does not run out: somebody has set it by hand."""
    updated: int
    """When it came or was renewed, in hundredths of a second since the machine was started."""


Addresses = frozenset[Address]


def addresses(interface: str) -> Addresses:
    """Return the usable addresses of the interface; raise WIFI_UNAVAILABLE if it is not there."""
    try:
        index = socket.if_nametoindex(interface)
    except OSError:
        raise HomeportError(Code.WIFI_UNAVAILABLE, f"{interface}: no such interface") from None
    with closing(_netlink(0)) as asking:
        asking.settimeout(5)
        request = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        asking.send(
            _HEADER.pack(_HEADER.size + len(request), RTM_GETADDR, NLM_F_REQUEST_DUMP, 1, 0)
            + request
        )
        return frozenset(_dump(asking, index))


async def await_address(interface: str, before: Addresses, seconds: float) -> None:
    """Wait for an address that is not of `before`; raise WIFI_NO_ADDRESS after `seconds`.

    One that was set by hand counts too; one that is renewed is another.
    """
    with closing(_netlink(RTMGRP_ADDRESSES)) as changes:
        changes.setblocking(False)  # noqa: FBT003 (the standard library's signature)
        try:
            async with asyncio.timeout(seconds):
                while not any(
                    each.is_permanent or each not in before for each in addresses(interface)
                ):
                    await asyncio.get_running_loop().sock_recv(changes, READ_SIZE)
        except TimeoutError:
            detail = f"{interface}: none in {seconds:.0f} s"
            raise HomeportError(Code.WIFI_NO_ADDRESS, detail) from None


def _netlink(groups: int) -> socket.socket:
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    made.bind((0, groups))
    return made


def _dump(asking: socket.socket, index: int) -> Iterator[Address]:
    while True:
        for kind, body in _parts(asking.recv(READ_SIZE), _HEADER):
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                return
            if kind == RTM_NEWADDR:
                yield from _usable(body, index)


def _parts(octets: bytes, header: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Messages, or attributes: length, type, body, padded to four octets."""
    while len(octets) >= header.size:
        length, kind = _length_and_kind(octets, header)
        if not header.size <= length <= len(octets):
            return
        yield kind, octets[header.size : length]
        octets = octets[(length + 3) & ~3 :]


def _length_and_kind(octets: bytes, header: struct.Struct) -> tuple[int, int]:
    length, kind, *_ = header.unpack_from(octets)
    return length, kind


def _usable(body: bytes, index: int) -> Iterator[Address]:
    _family, _prefix, flags, scope, interface = _ADDRESS.unpack_from(body)
    if interface != index or scope != 0 or flags & IFA_F_UNUSABLE:  # scope 0: the universe
        return
    attributes = dict(_parts(body[_ADDRESS.size :], _ATTRIBUTE))
    address = ipaddress.ip_address(attributes.get(IFA_LOCAL) or attributes[IFA_ADDRESS])
    if address.is_link_local:
        return
    _preferred, _valid, _created, updated = _CACHE.unpack_from(attributes[IFA_CACHEINFO])
    yield Address(str(address), bool(flags & IFA_F_PERMANENT), updated)
