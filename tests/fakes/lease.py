# SPDX-License-Identifier: Apache-2.0
"""The least DHCP client that gets a lease (RFC 2131 section 3.1), for hosts in test networks.

`python lease.py INTERFACE` prints address, prefix length and router. Repeats itself until it has
them: the cable may be a bad one.
"""

import secrets
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from homeport.agent.discovery.dhcp4 import CLIENT_PORT, SERVER_PORT, Reply, parse_reply

_BROADCAST: Final = 0x8000
_DISCOVER, _OFFER, _REQUEST, _ACK = 1, 2, 3, 5
_MASK, _ROUTER, _ADDRESS, _SERVER = 1, 3, 50, 54
_WAIT: Final = 1.0  # seconds until a request is repeated
_TRIES: Final = 15


def exchange(
    sock: socket.socket, mac: bytes, kind: int, wanted: bytes, xid: bytes
) -> tuple[Reply, IPv4Address]:
    """Send a message of this kind until the fitting answer comes; give it and `yiaddr`."""
    header = struct.pack(
        "!BBBB4sHH16s16s192x4s", 1, 1, 6, 0, xid, 0, _BROADCAST, b"", mac, b"\x63\x82\x53\x63"
    )
    message = header + bytes([53, 1, kind]) + wanted + bytes([55, 2, _MASK, _ROUTER, 255])
    for _ in range(_TRIES):
        sock.sendto(message, ("255.255.255.255", SERVER_PORT))
        try:
            while True:
                datagram = sock.recv(4096)
                reply = parse_reply(datagram)
                if reply.xid == xid and reply.kind == {_DISCOVER: _OFFER, _REQUEST: _ACK}[kind]:
                    return reply, IPv4Address(datagram[16:20])
        except TimeoutError:
            continue
    raise SystemExit("no DHCP server answers")


def main() -> None:
    """Get a lease and print it."""
    interface = sys.argv[1]
    mac = bytes.fromhex(Path("/sys/class/net", interface, "address").read_text().replace(":", ""))
    xid = secrets.token_bytes(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_WAIT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("", CLIENT_PORT))
        offer, address = exchange(sock, mac, _DISCOVER, b"", xid)
        wanted = (
            bytes([_ADDRESS, 4]) + address.packed + bytes([_SERVER, 4]) + offer.options[_SERVER]
        )
        lease, address = exchange(sock, mac, _REQUEST, wanted, xid)
    mask = IPv4Address(lease.options[_MASK])
    router = IPv4Address(lease.options[_ROUTER][:4])
    sys.stdout.write(f"{address} {IPv4Network(f'0.0.0.0/{mask}').prefixlen} {router}\n")


if __name__ == "__main__":
    main()
