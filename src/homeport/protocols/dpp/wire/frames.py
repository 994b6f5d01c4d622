# SPDX-License-Identifier: Apache-2.0
"""The frames that carry messages, as the TCP carrier writes them: without the category byte.

Public action frames (section 8.2) carry authentication and results; the GAS frames of IEEE 802.11
(sections 9.6.7.12 to 9.6.7.15 there) carry the configuration. The layout is wpa_supplicant 2.10's.
"""

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from homeport.errors import Code, MalformedError

FRAME_MAX: Final = 0xFFFF
"""Bytes; wpa_supplicant 2.10 closes the connection at a longer one."""
QUERY_MAX: Final = FRAME_MAX - 19
"""Bytes of a GAS query that leave room for the longest header."""
FRAGMENT_ID_MAX: Final = 127
"""Seven bits; the eighth says that more fragments follow."""

_ACTION: Final = 0x09
_INITIAL_REQUEST: Final = 0x0A
_INITIAL_RESPONSE: Final = 0x0B
_COMEBACK_REQUEST: Final = 0x0C
_COMEBACK_RESPONSE: Final = 0x0D
HEADER: Final = bytes.fromhex("506f9a1a01")
"""OUI of the Wi-Fi Alliance, type DPP, crypto suite 1; the frame type follows."""
_ADVERTISEMENT: Final = bytes.fromhex("6c087fdd05506f9a1a01")
"""Advertisement protocol element: vendor specific, DPP configuration protocol."""
_ADVERTISEMENT_IGNORED: Final = 2
"""Position of query response limit and PAME-BI: any value will do (802.11 section 9.4.2.92)."""
_MORE: Final = 0x80
_LENGTH: Final = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class ActionFrame:
    """A public action frame: DPP frame type and attributes."""

    type: int
    attributes: bytes

    @property
    def header(self) -> bytes:
        """What is authenticated besides the attributes: OUI, type, suite and frame type."""
        return HEADER + bytes([self.type])


@dataclass(frozen=True, slots=True)
class GasRequest:
    """GAS initial request: the configuration request."""

    token: int
    query: bytes


@dataclass(frozen=True, slots=True)
class GasResponse:
    """GAS initial response: the configuration response, or when to come back for it."""

    token: int
    query: bytes
    comeback_delay: int = 0
    """Time units of 1.024 ms; not zero: the answer is not here yet."""
    status: int = 0


@dataclass(frozen=True, slots=True)
class ComebackRequest:
    """GAS comeback request: the next fragment, or the answer that was not ready."""

    token: int


@dataclass(frozen=True, slots=True)
class ComebackResponse:
    """GAS comeback response: a fragment of the configuration response."""

    token: int
    query: bytes
    fragment: int = 0
    has_more: bool = False
    comeback_delay: int = 0
    status: int = 0


Frame: TypeAlias = ActionFrame | GasRequest | GasResponse | ComebackRequest | ComebackResponse


def read_frame(octets: bytes) -> Frame:
    """Read one frame; raise MalformedError for anything that is none of the five."""
    if not octets or len(octets) > FRAME_MAX:
        raise _malformed(f"a frame of {len(octets)} bytes")
    rest = _Rest(octets[1:])
    match octets[0]:
        case 0x09:
            if rest.take(len(HEADER)) != HEADER:
                raise _malformed("an action frame of another protocol or crypto suite")
            frame: Frame = ActionFrame(rest.octet(), rest.take_all())
        case 0x0A:
            frame = GasRequest(rest.octet(), rest.query())
        case 0x0B:
            token, status, delay = rest.octet(), rest.word(), rest.word()
            frame = GasResponse(token, rest.query(), delay, status)
        case 0x0C:
            frame = ComebackRequest(rest.octet())
        case 0x0D:
            token, status, part, delay = rest.octet(), rest.word(), rest.octet(), rest.word()
            is_last = not part & _MORE
            frame = ComebackResponse(
                token, rest.query(), part & FRAGMENT_ID_MAX, not is_last, delay, status
            )
        case kind:
            raise _malformed(f"a frame of kind {kind}")
    rest.end()
    return frame


def write_frame(frame: Frame) -> bytes:
    """Return the frame's octets; raise TOO_LARGE for a query that does not fit."""
    match frame:
        case ActionFrame():
            return bytes([_ACTION]) + frame.header + frame.attributes
        case GasRequest(token, query):
            return bytes([_INITIAL_REQUEST, token]) + _ADVERTISEMENT + _counted(query)
        case GasResponse(token, query, delay, status):
            head = struct.pack("<BBHH", _INITIAL_RESPONSE, token, status, delay)
            return head + _ADVERTISEMENT + _counted(query)
        case ComebackRequest(token):
            return bytes([_COMEBACK_REQUEST, token])
        case ComebackResponse(token, query, fragment, has_more, delay, status):
            part = fragment | (_MORE if has_more else 0)
            head = struct.pack("<BBHBH", _COMEBACK_RESPONSE, token, status, part, delay)
            return head + _ADVERTISEMENT + _counted(query)


def check_query(query: bytes) -> None:
    """Refuse a query that no frame holds (TOO_LARGE)."""
    if len(query) > QUERY_MAX:
        raise MalformedError(f"a query of {len(query)} bytes", Code.TOO_LARGE)


def _counted(query: bytes) -> bytes:
    check_query(query)
    return _LENGTH.pack(len(query)) + query


class _Rest:
    """What of a frame is not read yet."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def take(self, count: int) -> bytes:
        if len(self._octets) < count:
            raise _malformed("a frame is cut short")
        taken, self._octets = self._octets[:count], self._octets[count:]
        return taken

    def octet(self) -> int:
        return self.take(1)[0]

    def word(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def take_all(self) -> bytes:
        return self.take(len(self._octets))

    def query(self) -> bytes:
        element = self.take(len(_ADVERTISEMENT))
        at = _ADVERTISEMENT_IGNORED
        if (element[:at], element[at + 1 :]) != (_ADVERTISEMENT[:at], _ADVERTISEMENT[at + 1 :]):
            raise _malformed("a GAS frame of another protocol")
        return self.take(self.word())

    def end(self) -> None:
        if self._octets:
            raise _malformed("something follows the frame")


def _malformed(reason: str) -> MalformedError:
    return MalformedError(reason, Code.DPP_MALFORMED)
