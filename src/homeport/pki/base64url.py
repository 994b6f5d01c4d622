# SPDX-License-Identifier: Apache-2.0
"""base64url without padding (RFC 7515 section 2), read strictly: one text for one value.

Python's own decoder skips what it does not know, so that many texts give the same bytes; what is
hashed, compared or logged must have one form only.
"""

from binascii import Error, a2b_base64, b2a_base64
from typing import Final

from homeport.errors import MalformedError

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# The characters that only the other alphabet has, and padding, become one that is in neither.
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")


def encode(value: bytes) -> bytes:
    """Return the text of `value`, as ASCII bytes."""
    return b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


def decode(text: str) -> bytes:
    """Return the value of `text`; raise MalformedError unless `encode` would give this text."""
    try:
        digits = text.encode("ascii").translate(_FROM_URL)
        digits += b"=" * (-len(digits) % 4)
        value = a2b_base64(digits, strict_mode=True)
    except (Error, UnicodeEncodeError):
        raise MalformedError("not base64url") from None
    tail = len(value) % 3
    if tail and b2a_base64(value[-tail:], newline=False) != digits[-4:]:
        raise MalformedError("not base64url: bits after the end")
    return value
