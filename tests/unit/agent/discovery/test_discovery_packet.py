# SPDX-License-Identifier: Apache-2.0
"""IPv4 packets with UDP, taken apart; that the filter lets the right ones in is a system test."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.discovery.packet import udp_payload
from homeport.errors import MalformedError


def packet(payload: bytes, *, options: bytes = b"", length: int | None = None) -> bytes:
    first = 0x40 | (20 + len(options)) // 4
    ip = struct.pack("!BBHHHBBH4s4s", first, 0, 0, 0, 0, 64, 17, 0, b"", b"") + options
    size = 8 + len(payload) if length is None else length
    return ip + struct.pack("!HHHH", 67, 68, size, 0) + payload


@given(st.binary(max_size=600), st.integers(0, 10), st.binary(max_size=18))
def test_the_payload_is_taken_out(payload: bytes, words: int, padding: bytes) -> None:
    # Short Ethernet frames come with padding behind the packet.
    assert udp_payload(packet(payload, options=bytes(4 * words)) + padding) == payload


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        packet(b"")[:27],
        b"\x65" + packet(b"x")[1:],  # IPv6
        b"\x44" + packet(b"x")[1:],  # header shorter than a header
        b"\x4f" + packet(b"x")[1:],  # header longer than the packet
        packet(b"x", length=7),
        packet(b"x", length=10),
    ],
)
def test_a_broken_packet_is_malformed(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        udp_payload(bad)


@given(st.binary(max_size=200))
def test_any_packet_has_a_payload_or_is_malformed(anything: bytes) -> None:
    for sample in (anything, b"\x45" + anything):
        try:
            udp_payload(sample)
        except MalformedError:
            continue
