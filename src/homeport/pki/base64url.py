# SPDX-License-Identifier: Apache-2.0
"""base64url without padding (RFC 7515 section 2), read strictly: one text for one value.

Python's own decoder skips what it does not know, so that many texts give the same bytes; what is
hashed, compared or logged must have one form only.
"""

from binascii import b2a_base64
from typing import Final

import msgspec

from homeport.errors import MalformedError

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")


def encode(value: bytes) -> bytes:
    """Return the text of `value`, as ASCII bytes."""
    return b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


def decode(text: str) -> bytes:
    """Return the value of `text`; raise MalformedError unless `encode` would give this text."""
    if "+" in text or "/" in text or "=" in text:
        raise MalformedError("not base64url: characters of plain base64")
    digits = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        # msgspec's decoder refuses foreign characters and is four times as fast as binascii's.
        value = msgspec.convert(digits, bytes)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter: lone surrogates
        raise MalformedError("not base64url") from None
    tail = len(value) % 3
    if tail and b2a_base64(value[-tail:], newline=False) != digits[-4:].encode():
        raise MalformedError("not base64url: bits after the end")
    return value
