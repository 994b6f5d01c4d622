# SPDX-License-Identifier: Apache-2.0
"""A DHCPv4 server that misbehaves on demand, for what no honest server can be told to do.

`python dhcp_server.py INTERFACE CASE…`: each case is one answer to every request, in their order.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from typing import Final

from homeport.agent.discovery.dhcp4 import CLIENT_PORT, SERVER_PORT
from homeport.agent.discovery.options import encode_bootstrap_servers

_HEADER_SIZE: Final = 240


def answer(request: bytes, content: bytes, *, kind: int = 5) -> bytes:
    """Echo the request's header as a reply that carries option 143."""
    pieces = [content[at : at + 255] for at in range(0, len(content), 255)]
    option = b"".join(bytes([143, len(piece)]) + piece for piece in pieces)
    return b"\x02" + request[1:_HEADER_SIZE] + bytes([53, 1, kind]) + option + b"\xff"


def altered(message: bytes, at: int) -> bytes:
    """Flip a bit of the byte at this place."""
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


GOOD: Final = encode_bootstrap_servers(["https://good.example"])
ROGUE: Final = encode_bootstrap_servers(["https://rogue.example"])
LONG: Final = encode_bootstrap_servers(
    [f"https://{'a' * 60}.{'b' * 60}.{'c' * 60}.example:{port}" for port in range(1, 5)]
)

CASES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "good": lambda request: answer(request, GOOD),
    "long": lambda request: answer(request, LONG),
    "foreign-xid": lambda request: altered(answer(request, ROGUE), 4),
    "foreign-mac": lambda request: altered(answer(request, ROGUE), 28),
    "nak": lambda request: answer(request, ROGUE, kind=6),
    "length-beyond-option": lambda request: answer(request, b"\xff\xff" + ROGUE[2:]),
    "length-zero": lambda request: answer(request, b"\0\0" + ROGUE),
    "option-beyond-message": lambda request: answer(request, ROGUE)[:-9],
    "cut-header": lambda request: answer(request, ROGUE)[:100],
    "empty": lambda _: b"",
    "http": lambda request: answer(request, b"http://rogue.example"),
}


def main() -> None:
    """Answer until killed."""
    interface, *cases = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("", SERVER_PORT))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            request, (address, _) = sock.recvfrom(4096)
            for case in cases:
                sock.sendto(CASES[case](request), (address, CLIENT_PORT))


if __name__ == "__main__":
    main()
