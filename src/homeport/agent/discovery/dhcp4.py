# SPDX-License-Identifier: Apache-2.0
"""DHCPINFORM for option 143, whatever DHCP client the host runs (RFC 2131 sections 3.4, 4.4.3).

Only an ACK that carries our transaction id and MAC counts. Long options are joined (RFC 3396),
option overload is followed (RFC 2132 section 9.3). The parser is pure and total.
The host's own DHCP client may hold port 68 as well; how we still hear the answer is in
`packet.py`. The first ACK counts: where two servers answer differently, we do not wait for both.
"""

import asyncio
import logging
import secrets
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Final

from homeport.agent.discovery.exchange import Timing, ask
from homeport.agent.discovery.interfaces import Interface
from homeport.agent.discovery.options import parse_bootstrap_servers
from homeport.agent.discovery.packet import open_packet_socket, udp_payload
from homeport.errors import MalformedError

logger = logging.getLogger(__name__)

CLIENT_PORT: Final = 68
SERVER_PORT: Final = 67
OPTION_SZTP_REDIRECT: Final = 143  # RFC 8572 section 8.1
VENDOR_CLASS: Final = b"homeport"
"""Option 60, so that a DHCP server can tell our devices from others."""

_HEADER: Final = struct.Struct("!BBBB4sHH4s4s4s4s16s64s128s4s")  # RFC 2131 section 2, figure 1
_MAGIC: Final = b"\x63\x82\x53\x63"
_BOOTREQUEST: Final = 1
_BOOTREPLY: Final = 2
_ETHERNET: Final = 1
_MAC_LENGTH: Final = 6
_ACK: Final = 5
_INFORM: Final = 8
_PAD: Final = 0
_MESSAGE_TYPE: Final = 53
_OVERLOAD: Final = 52
_PARAMETERS: Final = 55
_MAX_SIZE: Final = 57
_CLASS: Final = 60
_END: Final = 255
_FILE: Final = 1  # option overload: bit 0 means `file`, bit 1 means `sname` holds options
_SNAME: Final = 2
_ETHERNET_PAYLOAD: Final = 1472
"""Bytes that fit an Ethernet frame after IPv4 and UDP headers."""


@dataclass(frozen=True)
class Reply:
    """A server's message (RFC 2131 section 2): its kind (option 53) and its options, joined."""

    xid: bytes
    mac: bytes
    kind: int
    options: Mapping[int, bytes]


def encode_inform(xid: bytes, mac: bytes, address: IPv4Address, elapsed: timedelta) -> bytes:
    """Write a DHCPINFORM: `xid` has 4 bytes, `mac` 6; `address` is ours, answers come to it."""
    seconds = min(int(elapsed.total_seconds()), 0xFFFF)
    nobody = bytes(4)
    header = _HEADER.pack(
        _BOOTREQUEST, _ETHERNET, _MAC_LENGTH, 0, xid, seconds, 0,
        address.packed, nobody, nobody, nobody, mac, b"", b"", _MAGIC,
    )  # fmt: skip
    options = (
        (_MESSAGE_TYPE, bytes([_INFORM])),
        (_MAX_SIZE, _ETHERNET_PAYLOAD.to_bytes(2)),
        (_CLASS, VENDOR_CLASS),
        (_PARAMETERS, bytes([OPTION_SZTP_REDIRECT])),
    )
    return header + b"".join(bytes([c, len(v)]) + v for c, v in options) + bytes([_END])


def parse_reply(datagram: bytes) -> Reply:
    """Read a server's message. Raises MalformedError."""
    if len(datagram) < _HEADER.size:
        raise MalformedError("a DHCP message is cut off")
    fields = _HEADER.unpack_from(datagram)
    if fields[:3] != (_BOOTREPLY, _ETHERNET, _MAC_LENGTH) or fields[-1] != _MAGIC:
        raise MalformedError("no DHCP reply to an Ethernet host")
    options = _options(datagram[_HEADER.size :], sname=fields[-3], file=fields[-2])
    kind = options.get(_MESSAGE_TYPE, b"")
    if len(kind) != 1:
        raise MalformedError("a DHCP message without its type")
    return Reply(fields[4], fields[-4][:_MAC_LENGTH], kind[0], options)


def read_bootstrap_servers(datagram: bytes, xid: bytes, mac: bytes) -> tuple[str, ...] | None:
    """Say what option 143 of an answer to us holds: empty without it, None for others' answers.

    Raises MalformedError.
    """
    reply = parse_reply(datagram)
    if reply.xid != xid or reply.mac != mac or reply.kind != _ACK:
        return None
    content = reply.options.get(OPTION_SZTP_REDIRECT)
    return () if content is None else parse_bootstrap_servers(content)


async def ask_bootstrap_servers(
    interface: Interface, timing: Timing | None = None
) -> tuple[str, ...] | None:
    """Ask the DHCP servers on an interface with IPv4 address and MAC; None when none answers.

    Raises OSError when the socket is refused (PermissionError without CAP_NET_BIND_SERVICE).
    """
    if interface.ipv4 is None or not interface.mac:
        raise OSError("an IPv4 address and a MAC are needed for DHCP")
    address, mac, xid = interface.ipv4, interface.mac, secrets.token_bytes(4)

    def request(elapsed: timedelta) -> bytes:
        return encode_inform(xid, mac, address, elapsed)

    def read(datagram: bytes) -> tuple[str, ...] | None:
        return read_bootstrap_servers(datagram, xid, mac)

    destination = ("255.255.255.255", SERVER_PORT)
    with _client_socket(interface.name, address) as sock:
        try:
            listener = open_packet_socket(interface.name, CLIENT_PORT)
        except PermissionError:
            logger.info("no CAP_NET_RAW: NetworkManager's own client may keep answers from us")
            return await ask(sock, destination, request, read, timing or Timing())
        try:
            return await ask(
                sock,
                destination,
                request,
                lambda packet: read(udp_payload(packet)),
                timing or Timing(),
                listener=listener,
            )
        finally:
            # Linux closes packet sockets in some 20 ms (synchronize_net): not in our way.
            _closing = asyncio.get_running_loop().run_in_executor(None, listener.close)


def _client_socket(interface: str, address: IPv4Address) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        # Servers unicast the answer to us (RFC 2131 section 4.3.5). Bound to the address, the
        # newest socket wins against the others, save those that are connected.
        sock.bind((str(address), CLIENT_PORT))
    except BaseException:
        sock.close()
        raise
    return sock


def _options(field: bytes, *, sname: bytes, file: bytes) -> Mapping[int, bytes]:
    joined: dict[int, bytes] = {}
    _collect(field, joined)
    overload = joined.get(_OVERLOAD, b"\0")
    if overload not in {b"\0", b"\1", b"\2", b"\3"}:
        raise MalformedError("a DHCP message with an unknown option overload")
    # RFC 3396 section 5: the order in which pieces are joined is options, file, sname.
    if overload[0] & _FILE:
        _collect(file, joined)
    if overload[0] & _SNAME:
        _collect(sname, joined)
    return joined


def _collect(area: bytes, joined: dict[int, bytes]) -> None:
    at = 0
    while at < len(area) and area[at] != _END:
        code = area[at]
        at += 1
        if code == _PAD:
            continue
        if at == len(area) or at + 1 + area[at] > len(area):
            raise MalformedError(f"DHCP option {code} is longer than its message")
        joined[code] = joined.get(code, b"") + area[at + 1 : at + 1 + area[at]]
        at += 1 + area[at]
