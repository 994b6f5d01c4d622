# SPDX-License-Identifier: Apache-2.0
"""The claim code: the secret on a label that lets its first owner claim the device.

20 characters of Crockford's base32 (no I, L, O, U), 100 bits, printed in groups of five. It is
random enough that its plain SHA-256 can stand in a manifest: nobody guesses 2^100.
"""

import hashlib
import secrets
from typing import Final

from homeport.errors import MalformedError

CLAIM_CODE_LENGTH: Final = 20
"""Characters of 5 bits: 100 bits, above the 96 that a label must carry."""
GROUP: Final = 5
"""Characters a person reads at once."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("OIL", "011", "- ")


def make_claim_code() -> str:
    """Return a new random code, without dashes."""
    bits = secrets.randbits(5 * CLAIM_CODE_LENGTH)
    return "".join(_ALPHABET[bits >> 5 * place & 31] for place in range(CLAIM_CODE_LENGTH))


def parse_claim_code(text: str) -> str:
    """Read a code as people type it: any case, dashes and blanks, O for 0, I and L for 1.

    Raise MalformedError if it is no claim code. The detail does not repeat it.
    """
    code = text.upper().translate(_MISREAD)
    if len(code) != CLAIM_CODE_LENGTH or not set(_ALPHABET).issuperset(code):
        raise MalformedError("not a claim code")
    return code


def show_claim_code(code: str) -> str:
    """Return the code in groups, as it is printed."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def hash_claim_code(code: str) -> bytes:
    """Return the SHA-256 of the code's characters, without dashes."""
    return hashlib.sha256(code.encode("ascii")).digest()
