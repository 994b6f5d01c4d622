# SPDX-License-Identifier: Apache-2.0
"""A copy of what arrives for UDP port 68, whoever else holds the port (packet(7)).

NetworkManager's DHCP client keeps a socket that is connected to the server, and the kernel gives
the server's answers to that one alone. A packet socket gets its own copy and takes nothing away
from anybody. It needs CAP_NET_RAW; without it the ordinary socket is all that there is.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import Final

from homeport.errors import MalformedError

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_ETH_P_IP: Final = 0x0800
_UDP: Final = 17
_UDP_HEADER: Final = struct.Struct("!HHHH")
_IPV4: Final = 4
_IPV4_HEADER_SIZE: Final = 20
_ACCEPT_ALL: Final = 0xFFFF

_Instruction = tuple[int, int, int, int]
_INSTRUCTION: Final = struct.Struct("HBBI")  # struct sock_filter: code, jump if true, if false, k


def _udp_to(port: int) -> Sequence[_Instruction]:
    # Classic BPF over the IPv4 header: UDP, no later fragment, this destination port.
    return (
        (0x30, 0, 0, 9),  # ldb [9]             protocol
        (0x15, 0, 6, _UDP),  # jeq #17, else reject
        (0x28, 0, 0, 6),  # ldh [6]             fragment offset
        (0x45, 4, 0, 0x1FFF),  # jset, then reject
        (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf)    length of the header
        (0x48, 0, 0, 2),  # ldh [x + 2]         destination port
        (0x15, 0, 1, port),  # jeq, else reject
        (0x06, 0, 0, _ACCEPT_ALL),  # accept
        (0x06, 0, 0, 0),  # reject
    )


def open_packet_socket(interface: str, port: int) -> socket.socket:
    """Open a non-blocking socket whose datagrams are IPv4 packets with UDP to this port.

    Raises PermissionError without CAP_NET_RAW.
    """
    # Protocol 0 first: nothing arrives before the filter is in place.
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    try:
        sock.settimeout(0)
        instructions = [_INSTRUCTION.pack(*each) for each in _udp_to(port)]
        code = ctypes.create_string_buffer(b"".join(instructions))
        # struct sock_fprog: number of instructions, and where they are while we ask.
        program = struct.pack("HP", len(instructions), ctypes.addressof(code))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        sock.bind((interface, _ETH_P_IP))
    except BaseException:
        sock.close()
        raise
    return sock


def udp_payload(packet: bytes) -> bytes:
    """Take the payload out of an IPv4 packet with UDP (RFC 791 section 3.1, RFC 768).

    Checksums are not looked at: with offloading they are not filled in yet. Raises MalformedError.
    """
    header_size = (packet[0] & 0x0F) * 4 if packet else 0
    begin = header_size + _UDP_HEADER.size
    if header_size < _IPV4_HEADER_SIZE or packet[0] >> 4 != _IPV4 or len(packet) < begin:
        raise MalformedError("no IPv4 packet with UDP")
    _, _, length, _ = _UDP_HEADER.unpack_from(packet, header_size)
    end = header_size + length
    if not begin <= end <= len(packet):
        raise MalformedError("a UDP datagram that is longer than its packet")
    return packet[begin:end]
