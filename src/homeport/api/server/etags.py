# SPDX-License-Identifier: Apache-2.0
"""ETags: a hash of what can be changed about a thing, so that two people do not undo each other.

They compare *weakly* (RFC 9110 section 8.8.3.2): what they vouch for is that nothing which people
change was changed, not that every byte is the same; a state that the device itself reports may
move on. So they are written `W/"…"`, and If-Match takes them all the same, with or without `W/`
(a proxy that compresses writes it in front): the strong comparison that the RFC wants there
guards byte ranges, which nobody can change here.
"""

import hashlib
from typing import Final

import msgspec

from homeport.errors import Code, HomeportError

ANY: Final = "*"


def tag_of(*facts: object) -> str:
    """Return the ETag of a thing whose changeable facts are these."""
    digest = hashlib.sha256(msgspec.json.encode(facts, order="deterministic")).hexdigest()
    return f'W/"{digest[:32]}"'


def demand_match(if_match: str | None, present: str, what: str) -> None:
    """Refuse a change of what was changed meanwhile (CHANGED_MEANWHILE); no header, no demand."""
    if if_match is None:
        return
    named = {_bare(tag) for tag in if_match.split(",")}
    if ANY not in named and _bare(present) not in named:
        raise HomeportError(Code.CHANGED_MEANWHILE, what)


def _bare(tag: str) -> str:
    return tag.strip().removeprefix("W/")
