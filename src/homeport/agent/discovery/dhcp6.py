# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 INFORMATION-REQUEST for option 136 (RFC 8415 sections 18.2.6 and 18.2.10.4).

Only a REPLY with our transaction id, our client identifier (or none) and a server identifier
counts (section 16.10). The parser is pure and total.
"""

import asyncio
import random
import secrets
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from homeport.agent.discovery.exchange import Timing, ask
from homeport.agent.discovery.interfaces import Interface
from homeport.agent.discovery.options import parse_bootstrap_servers
from homeport.errors import MalformedError

CLIENT_PORT: Final = 546
SERVER_PORT: Final = 547
ALL_RELAYS_AND_SERVERS: Final = "ff02::1:2"
OPTION_SZTP_REDIRECT: Final = 136  # RFC 8572 section 8.2

FIRST_DELAY: Final = timedelta(seconds=1)
"""INF_MAX_DELAY (RFC 8415 section 7.6): the first request waits a random part of it, so that
devices that were switched on together do not ask together. DHCPv4 is asked meanwhile."""

_INFORMATION_REQUEST: Final = 11
_REPLY: Final = 7
_CLIENT_IDENTIFIER: Final = 1
_SERVER_IDENTIFIER: Final = 2
_OPTION_REQUEST: Final = 6
_ELAPSED_TIME: Final = 8
_INFORMATION_REFRESH_TIME: Final = 32
_INF_MAX_RT: Final = 83
_ASKED: Final = (OPTION_SZTP_REDIRECT, _INFORMATION_REFRESH_TIME, _INF_MAX_RT)
"""RFC 8415 sections 21.23 and 21.25 make the latter two obligatory in this request."""
_SINGLE: Final = {_CLIENT_IDENTIFIER, _SERVER_IDENTIFIER, OPTION_SZTP_REDIRECT}
_DUID_LL: Final = b"\x00\x03\x00\x01"  # RFC 8415 section 11.4, hardware type Ethernet
_XID_LENGTH: Final = 3
_HUNDREDTH: Final = timedelta(milliseconds=10)
_OPTION: Final = struct.Struct("!HH")


@dataclass(frozen=True)
class Reply:
    """A server's message (RFC 8415 section 8); of options that may repeat, the last one."""

    kind: int
    xid: bytes
    options: Mapping[int, bytes]


def encode_information_request(xid: bytes, mac: bytes, elapsed: timedelta) -> bytes:
    """Write an INFORMATION-REQUEST: `xid` has 3 bytes; the DUID is made of `mac`, 6 bytes."""
    asked = b"".join(code.to_bytes(2) for code in _ASKED)
    hundredths = min(elapsed // _HUNDREDTH, 0xFFFF)
    options = (
        (_CLIENT_IDENTIFIER, _DUID_LL + mac),
        (_OPTION_REQUEST, asked),
        (_ELAPSED_TIME, hundredths.to_bytes(2)),
    )
    body = b"".join(_OPTION.pack(code, len(value)) + value for code, value in options)
    return bytes([_INFORMATION_REQUEST]) + xid + body


def parse_reply(datagram: bytes) -> Reply:
    """Read a server's message. Raises MalformedError."""
    if len(datagram) < 1 + _XID_LENGTH:
        raise MalformedError("a DHCPv6 message is cut off")
    options: dict[int, bytes] = {}
    for code, value in _options(datagram[1 + _XID_LENGTH :]):
        if code in _SINGLE and code in options:
            raise MalformedError(f"DHCPv6 option {code} is there twice")
        options[code] = value
    return Reply(datagram[0], datagram[1 : 1 + _XID_LENGTH], options)


def read_bootstrap_servers(datagram: bytes, xid: bytes, mac: bytes) -> tuple[str, ...] | None:
    """Say what option 136 of an answer to us holds: empty without it, None for others' answers.

    Raises MalformedError.
    """
    reply = parse_reply(datagram)
    if reply.kind != _REPLY or reply.xid != xid:
        return None
    if reply.options.get(_CLIENT_IDENTIFIER, _DUID_LL + mac) != _DUID_LL + mac:
        return None
    if not reply.options.get(_SERVER_IDENTIFIER):
        raise MalformedError("a DHCPv6 reply without server identifier")
    content = reply.options.get(OPTION_SZTP_REDIRECT)
    return () if content is None else parse_bootstrap_servers(content)


async def ask_bootstrap_servers(
    interface: Interface,
    timing: Timing | None = None,
    first_delay: timedelta = FIRST_DELAY,
) -> tuple[str, ...] | None:
    """Ask the DHCPv6 servers on an interface with link-local address and MAC; None for silence.

    Raises OSError when the socket is refused (PermissionError without CAP_NET_BIND_SERVICE).
    """
    if interface.link_local is None or not interface.mac:
        raise OSError("a link-local address and a MAC are needed for DHCPv6")
    address, mac, xid = str(interface.link_local), interface.mac, secrets.token_bytes(_XID_LENGTH)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode())
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, CLIENT_PORT, 0, interface.index))
        # Not a secret: see FIRST_DELAY.
        await asyncio.sleep(random.uniform(0, first_delay.total_seconds()))  # noqa: S311
        return await ask(
            sock,
            (ALL_RELAYS_AND_SERVERS, SERVER_PORT, 0, interface.index),
            lambda elapsed: encode_information_request(xid, mac, elapsed),
            lambda datagram: read_bootstrap_servers(datagram, xid, mac),
            timing or Timing(),
        )


def _options(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(body):
        if at + _OPTION.size > len(body):
            raise MalformedError("a DHCPv6 option is cut off")
        code, length = _OPTION.unpack_from(body, at)
        at += _OPTION.size
        if at + length > len(body):
            raise MalformedError(f"DHCPv6 option {code} is longer than its message")
        yield code, body[at : at + length]
        at += length
