# SPDX-License-Identifier: Apache-2.0
"""Requests as the RFCs want them, answers read or refused, others' answers passed over."""

import struct
from datetime import timedelta
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.discovery import dhcp4, dhcp6
from homeport.agent.discovery.options import encode_bootstrap_servers
from homeport.errors import MalformedError

XID = b"\x01\x02\x03\x04"
MAC = bytes.fromhex("020000000001")
URL = "https://edge.example:8443"
MAGIC = b"\x63\x82\x53\x63"


def reply4(
    options: bytes,
    *,
    xid: bytes = XID,
    mac: bytes = MAC,
    kind: int = 5,
    sname: bytes = b"",
    file: bytes = b"",
) -> bytes:
    header = struct.pack("!BBBB4sHH16s16s64s128s", 2, 1, 6, 0, xid, 0, 0, b"", mac, sname, file)
    return header + MAGIC + bytes([53, 1, kind]) + options


def option4(content: bytes, code: int = 143) -> bytes:
    pieces = [content[at : at + 255] for at in range(0, len(content), 255)] or [b""]
    return b"".join(bytes([code, len(piece)]) + piece for piece in pieces)


def test_inform_says_who_asks_for_what() -> None:
    inform = dhcp4.encode_inform(XID, MAC, IPv4Address("10.77.0.10"), timedelta(seconds=3.7))
    assert inform[:3] == b"\x01\x01\x06"
    assert inform[4:8] == XID
    assert inform[8:10] == b"\0\3"  # secs
    assert inform[10:12] == b"\0\0"  # no broadcast flag: the answer is unicast
    assert inform[12:16] == bytes([10, 77, 0, 10])  # ciaddr
    assert inform[28:34] == MAC
    assert inform[236:240] == MAGIC
    assert inform[240:243] == b"\x35\x01\x08"
    assert b"\x37\x01\x8f" in inform  # parameter request list: 143
    assert inform.endswith(b"\xff")


def test_option_143_is_read() -> None:
    content = encode_bootstrap_servers([URL, "https://[fd77::1]"])
    datagram = reply4(b"\0" + option4(content) + b"\xff" + b"garbage after the end")
    assert dhcp4.read_bootstrap_servers(datagram, XID, MAC) == (URL, "https://[fd77::1]")


def test_a_long_option_is_joined() -> None:
    long = [f"https://{'a' * 60}.{'b' * 60}.{'c' * 60}.example:{port}" for port in (1, 2, 3)]
    content = encode_bootstrap_servers(long)
    assert len(content) > 510
    datagram = reply4(option4(content) + b"\xff")
    assert dhcp4.read_bootstrap_servers(datagram, XID, MAC) == tuple(long)


@pytest.mark.parametrize("overload", [1, 2, 3])
def test_overloaded_fields_are_read_in_their_order(overload: int) -> None:
    content = encode_bootstrap_servers([URL])
    first, second = option4(content[:7]), option4(content[7:]) + b"\xff"
    file = {1: second, 2: option4(b"not for reading"), 3: first}[overload]
    sname = {1: option4(b"not for reading"), 2: second, 3: second}[overload]
    begin = b"" if overload == 3 else first
    datagram = reply4(bytes([52, 1, overload]) + begin + b"\xff", sname=sname, file=file)
    assert dhcp4.read_bootstrap_servers(datagram, XID, MAC) == (URL,)


def test_without_option_143_nothing_is_offered() -> None:
    assert dhcp4.read_bootstrap_servers(reply4(b"\xff"), XID, MAC) == ()


@pytest.mark.parametrize(
    "other",
    [
        {"xid": b"\x01\x02\x03\x05"},
        {"mac": bytes.fromhex("020000000002")},
        {"kind": 2},  # an OFFER
        {"kind": 6},  # a NAK
    ],
)
def test_an_answer_to_somebody_else_does_not_count(other: dict[str, bytes]) -> None:
    datagram = reply4(option4(encode_bootstrap_servers([URL])) + b"\xff", **other)  # type: ignore[arg-type]
    assert dhcp4.read_bootstrap_servers(datagram, XID, MAC) is None


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        reply4(b"")[:239],
        reply4(b"\x8f"),  # code without length
        reply4(b"\x8f\x05abcd"),  # content shorter than its length
        reply4(b"\x34\x01\x04"),  # overload of an unknown field
        reply4(b"\x34\x02\x01\x01"),
        reply4(b"\x34\x01\x01", file=b"\x8f\xff" + b"a" * 126),  # runs over its field
        reply4(b"")[:240],  # no message type
        b"\x01" + reply4(b"")[1:],  # a request
        reply4(b"")[:236] + b"\0\0\0\0" + b"\xff",  # BOOTP
        reply4(option4(b"\xff\xff" + b"https://edge.example") + b"\xff"),  # rogue length
    ],
)
def test_a_broken_answer_is_malformed(datagram: bytes) -> None:
    with pytest.raises(MalformedError):
        dhcp4.read_bootstrap_servers(datagram, XID, MAC)


@given(st.binary(max_size=600), st.binary(max_size=64), st.binary(max_size=128))
def test_any_dhcp_message_is_read_or_malformed(options: bytes, sname: bytes, file: bytes) -> None:
    for datagram in (options, reply4(options, sname=sname, file=file)):
        try:
            dhcp4.read_bootstrap_servers(datagram, XID, MAC)
        except MalformedError:
            continue


def reply6(*options: tuple[int, bytes], kind: int = 7, xid: bytes = XID[:3]) -> bytes:
    body = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
    return bytes([kind]) + xid + body


DUID = b"\x00\x03\x00\x01" + MAC
OURS = (1, DUID)
SERVER = (2, b"\x00\x03\x00\x01server")
SERVERS = (136, encode_bootstrap_servers([URL]))


def test_information_request_asks_for_what_it_must() -> None:
    request = dhcp6.encode_information_request(XID[:3], MAC, timedelta(seconds=1.239))
    assert request[0] == 11
    assert request[1:4] == XID[:3]
    assert struct.pack("!HH", 1, 10) + DUID in request
    assert struct.pack("!HHHHH", 6, 6, 136, 32, 83) in request
    assert request.endswith(struct.pack("!HHH", 8, 2, 123))
    parsed = dhcp6.parse_reply(request)
    assert set(parsed.options) == {1, 6, 8}


def test_elapsed_time_stops_at_its_largest_value() -> None:
    request = dhcp6.encode_information_request(XID[:3], MAC, timedelta(days=1))
    assert request.endswith(b"\xff\xff")


def test_option_136_is_read() -> None:
    for options in ((OURS, SERVER, SERVERS), (SERVERS, SERVER)):
        assert dhcp6.read_bootstrap_servers(reply6(*options), XID[:3], MAC) == (URL,)
    assert dhcp6.read_bootstrap_servers(reply6(OURS, SERVER), XID[:3], MAC) == ()


@pytest.mark.parametrize(
    "datagram",
    [
        reply6(OURS, SERVER, SERVERS, xid=b"\x09\x09\x09"),
        reply6(OURS, SERVER, SERVERS, kind=2),  # ADVERTISE
        reply6((1, DUID[:-1] + b"\x77"), SERVER, SERVERS),
    ],
)
def test_a_dhcpv6_answer_to_somebody_else_does_not_count(datagram: bytes) -> None:
    assert dhcp6.read_bootstrap_servers(datagram, XID[:3], MAC) is None


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x07\x01\x02",
        reply6(OURS, SERVERS),  # no server identifier
        reply6(OURS, SERVER, SERVERS, SERVERS),
        reply6(OURS, SERVER) + b"\x00\x88\x00",
        reply6(OURS, SERVER) + b"\x00\x88\xff\xff" + b"https://edge.example",
        reply6(OURS, SERVER, (136, b"\x00\xff" + b"https://edge.example")),
    ],
)
def test_a_broken_dhcpv6_answer_is_malformed(datagram: bytes) -> None:
    with pytest.raises(MalformedError):
        dhcp6.read_bootstrap_servers(datagram, XID[:3], MAC)


@given(st.binary(max_size=600))
def test_any_dhcpv6_message_is_read_or_malformed(body: bytes) -> None:
    for datagram in (body, b"\x07" + XID[:3] + body):
        try:
            dhcp6.read_bootstrap_servers(datagram, XID[:3], MAC)
        except MalformedError:
            continue
