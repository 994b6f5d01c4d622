# SPDX-License-Identifier: Apache-2.0
"""A GAS query response in pieces, and put together again (IEEE 802.11 section 11.22.3.3).

On TCP a response goes in one piece; on the air, and through relays, in pieces of some 1,400 bytes
that the Enrollee fetches one by one.
"""

from collections.abc import Iterator
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.dpp.wire.frames import FRAGMENT_ID_MAX, QUERY_MAX, ComebackResponse

COMEBACKS_MAX: Final = 1_000
"""Of one exchange; at half a second each, a configuration may take eight minutes. The run over a
carrier has a limit of time beside it."""


class Fragments:
    """The pieces that came so far; they come in order, or the exchange fails."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._held = bytearray()
        self._expected = 0

    def add(self, response: ComebackResponse) -> bytes | None:
        """Take a piece; return the whole with the last one.

        Raise DPP_OUT_OF_ORDER for a piece that is not the next, MalformedError beyond the limit.
        """
        if response.fragment != self._expected:
            reason = f"fragment {response.fragment}, expected {self._expected}"
            raise HomeportError(Code.DPP_OUT_OF_ORDER, reason)
        self._expected += 1
        if len(self._held) + len(response.query) > QUERY_MAX:
            raise MalformedError("a response of too many fragments", Code.DPP_MALFORMED)
        self._held += response.query
        return None if response.has_more else bytes(self._held)


def cut(token: int, query: bytes, size: int) -> Iterator[ComebackResponse]:
    """Cut a query response into pieces of `size` bytes; raise DPP_MALFORMED for too many."""
    pieces = [query[start : start + size] for start in range(0, len(query), size)]
    if len(pieces) > FRAGMENT_ID_MAX + 1:
        raise HomeportError(Code.DPP_MALFORMED, f"{len(pieces)} fragments")
    last = len(pieces) - 1
    return (
        ComebackResponse(token, piece, fragment=number, has_more=number < last)
        for number, piece in enumerate(pieces)
    )
