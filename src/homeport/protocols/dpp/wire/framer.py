# SPDX-License-Identifier: Apache-2.0
"""The framing of the byte stream: four bytes of length, big endian, then the frame.

As in wpa_supplicant 2.10, and the same on TCP and on a Bluetooth characteristic: pieces may arrive
in any size. A framer never holds more than one frame of the greatest length beside the piece that
it was just given.
"""

import struct
from typing import Final

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.wire.frames import FRAME_MAX

_LENGTH: Final = struct.Struct(">I")
LENGTH_SIZE: Final = _LENGTH.size


def enclose(frame: bytes) -> bytes:
    """Return the frame with its length before it."""
    if not 0 < len(frame) <= FRAME_MAX:
        raise MalformedError(f"a frame of {len(frame)} bytes", Code.DPP_MALFORMED)
    return _LENGTH.pack(len(frame)) + frame


class Framer:
    """Cuts the frames out of a stream."""

    def __init__(self) -> None:
        """Begin at the beginning of a stream."""
        self._held = bytearray()

    @property
    def is_between_frames(self) -> bool:
        """Whether the stream may end here without cutting a frame short."""
        return not self._held

    def feed(self, piece: bytes) -> tuple[bytes, ...]:
        """Take the next piece; return the frames that it completes.

        Raise MalformedError at a length of nothing or beyond the limit. The stream is lost then:
        nobody knows where the next frame would begin. Frames before it still count; then it is
        raised with the next piece.
        """
        self._held += piece
        frames: list[bytes] = []
        while len(self._held) >= LENGTH_SIZE:
            (length,) = _LENGTH.unpack_from(self._held)
            if not 0 < length <= FRAME_MAX:
                if frames:
                    break
                raise MalformedError(f"a frame of {length} bytes", Code.DPP_MALFORMED)
            end = LENGTH_SIZE + length
            if len(self._held) < end:
                break
            frames.append(bytes(self._held[LENGTH_SIZE:end]))
            del self._held[:end]
        return tuple(frames)
