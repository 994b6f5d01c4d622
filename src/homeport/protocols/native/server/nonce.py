# SPDX-License-Identifier: Apache-2.0
"""Stateless nonces: [2] of docs/protocols/native.md.

A nonce is its time, a count and an HMAC over both, so that N processes with one key accept each
other's, nothing is stored, and nobody without the key can tell the next one. It is not for one use
only: within its lifetime a captured request can be sent again, which gives the sender the answer
it had already and nothing new.
"""

import base64
import binascii
import hmac
import random
import struct
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from homeport.errors import Code, HomeportError

LIFETIME: Final = timedelta(minutes=5)
"""Longer than a long poll and a slow link; shorter than a request is worth stealing."""

_SKEW: Final = timedelta(seconds=5)
"""Processes that share the key may disagree by this much about the time."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_LIFETIME_MS: Final = LIFETIME // _MILLISECOND
_SKEW_MS: Final = _SKEW // _MILLISECOND
_BODY: Final = struct.Struct(">QQ")
_TAG_BYTES: Final = 16


class Nonces:
    """Makes nonces and recognises its own."""

    def __init__(self, key: bytes) -> None:
        """Take the platform's nonce key, 32 random bytes."""
        self._key = key
        self._count = count(random.getrandbits(62))
        """Only to tell apart what is made in one millisecond; it need not be secret."""

    def make(self, now: datetime) -> str:
        """Return a fresh nonce."""
        body = _BODY.pack(int(now.timestamp() * 1000), next(self._count))
        return base64.urlsafe_b64encode(body + self._tag(body)).decode()

    def check(self, nonce: str | None, now: datetime) -> None:
        """Accept a fresh nonce of ours; else HomeportError(NONCE_WRONG)."""
        try:
            octets = base64.b64decode(nonce or "", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            octets = b""
        body, tag = octets[: _BODY.size], octets[_BODY.size :]
        if len(body) != _BODY.size or not hmac.compare_digest(tag, self._tag(body)):
            raise HomeportError(Code.NONCE_WRONG, "not one of ours")
        age = int(now.timestamp() * 1000) - _BODY.unpack(body)[0]
        if not -_SKEW_MS <= age <= _LIFETIME_MS:
            raise HomeportError(Code.NONCE_WRONG, f"{age // 1000} s old")

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_TAG_BYTES]
