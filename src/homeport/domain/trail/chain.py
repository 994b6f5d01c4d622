# SPDX-License-Identifier: Apache-2.0
r"""The hash chain over the audit trail: what shows that an event was altered, removed or put in.

    digest(event) = SHA-256("homeport audit event 1\n" || canonical(event))
    link(n)       = SHA-256("homeport audit link 1\n" || link(n-1) || cursor || digest)

The cursor is 8 octets, big-endian, signed; before the first event the link is 32 zero octets. The
canonical form is what the registry keeps, not what this program makes of it, so that a later
version, or one that does not know the event, computes the same. docs/understand/audit-trail.md,
tests/vectors/audit.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

START: Final = bytes(32)
"""The link before the first event."""

_EVENT: Final = b"homeport audit event 1\n"
_LINK: Final = b"homeport audit link 1\n"
"""One hash must never be taken for the other, nor for one of another purpose."""

_MARK: Final = struct.Struct(">q8s")


class KeptEvent(NamedTuple):
    """An event as the registry keeps it, not interpreted: whatever stands there has a digest."""

    cursor: int
    name: str
    at: int
    """Microseconds since 1970."""
    actor: str
    tenant: str | None
    device: str | None
    enrolment: str | None
    facts: str
    """JSON object as text: RFC 8785, numbers in full."""


# What a hostile hand put into a column (octets, a fraction) must have a digest too, the wrong one.
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=repr).encode


def canonical(event: KeptEvent) -> bytes:
    """Return what is hashed: a JSON array of name, time, actor, tenant, device, run, and facts.

    The facts are put in as they are kept. They come last, so no two events share a form, whatever
    stands in them.
    """
    text = f"{_encode(event[1:7])[:-1]},{event.facts}]"
    return text.encode("utf-8", "surrogatepass")


def canonical_facts(facts: Mapping[str, str | int]) -> str:
    """Return an event's facts as the registry keeps them (RFC 8785, numbers in full)."""
    ordered = dict(sorted(facts.items(), key=lambda item: item[0].encode("utf-16-be")))
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def digest_of(event: KeptEvent) -> bytes:
    """Return the hash of one event without its place."""
    return hashlib.sha256(_EVENT + canonical(event)).digest()


def link(previous: bytes, cursor: int, digest: bytes) -> bytes:
    """Return the chain's next link."""
    return hashlib.sha256(
        _LINK + previous + cursor.to_bytes(8, "big", signed=True) + digest
    ).digest()


class Chain:
    """A chain that grows by one event at a time."""

    def __init__(self, previous: bytes = START) -> None:
        """Go on from a link."""
        self.head = previous
        self.count = 0
        self._marks = bytearray()

    def add(self, event: KeptEvent) -> None:
        """Hash the next event."""
        digest = digest_of(event)
        self.head = link(self.head, event.cursor, digest)
        self.count += 1
        self._marks += _MARK.pack(event.cursor, digest[:8])

    @property
    def marks(self) -> bytes:
        """Cursor and shortened digest of each event: they prove nothing, they point.

        Where a chain does not hold, comparing its marks with those of its sealing says which event.
        """
        return bytes(self._marks)


def chained(events: Iterable[KeptEvent], previous: bytes = START) -> Chain:
    """Return the chain of these events, in this order."""
    chain = Chain(previous)
    for event in events:
        chain.add(event)
    return chain


def read_marks(marks: bytes) -> dict[int, bytes]:
    """Return shortened digests by cursor; what is left over at the end is ignored."""
    whole = len(marks) - len(marks) % _MARK.size
    return dict(_MARK.iter_unpack(marks[:whole]))
