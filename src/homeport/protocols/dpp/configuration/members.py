# SPDX-License-Identifier: Apache-2.0
"""Reading JSON objects of strangers member by member: a value of the right kind, or MalformedError.

Members that nobody asks for are passed over (later releases, third parties).
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias, cast

from homeport.errors import Code, MalformedError

Json: TypeAlias = Mapping[str, Any]
"""A JSON object."""

DEPTH_MAX: Final = 16
"""Objects inside objects; what is passed on has to fit into other people's stacks, too."""
WRITTEN_DEPTH_MAX: Final = 10
"""wpa_supplicant 2.10 closes the connection without a word at more, of levels or values."""
WRITTEN_VALUES_MAX: Final = 500
INTEGER_MAX: Final = 2**31 - 1
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


class Members:
    """A JSON object of which members are taken by name and kind."""

    def __init__(self, members: Json, code: Code = Code.DPP_MALFORMED) -> None:
        """Take the object, and the code of the failure if it is not as it should be."""
        self._members: Final = members
        self._code: Final = code

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def text(self, name: str, longest: int, *, shortest: int = 1) -> str:
        """Return a string of so many printable characters."""
        value = self._members.get(name)
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise self.wrong(name)
        if not value.isprintable():
            raise self.wrong(name)
        return value

    def typed_text(self, name: str, longest: int) -> str:
        """Return a string of any characters, as people typed it; `longest` in UTF-8 octets.

        wpa_supplicant writes each *octet* beyond ASCII as a character of its own: two for "ö".
        Where the characters are octets of UTF-8, they are taken for that.
        """
        value = self._members.get(name)
        if not isinstance(value, str):
            raise self.wrong(name)
        value = _typed(value)
        if len(value.encode()) > longest:
            raise self.wrong(name)
        return value

    def optional_text(self, name: str, longest: int) -> str:
        """Return a string, or nothing where there is none."""
        return self.text(name, longest, shortest=0) if name in self._members else ""

    def integer(self, name: str, highest: int = INTEGER_MAX, *, lowest: int = 0) -> int:
        """Return a whole number between `lowest` and `highest`."""
        value = self._members.get(name)
        if type(value) is not int or not lowest <= value <= highest:  # True is an int, too
            raise self.wrong(name)
        return value

    def truth(self, name: str) -> bool:
        """Return true or false; what is not there is false."""
        value = self._members.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(name)
        return value

    def octets(self, name: str, longest: int) -> bytes:
        """Return octets that are written in base64 (RFC 4648 section 4)."""
        try:
            octets = base64.b64decode(self.text(name, 2 * longest + 4), validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong(name) from None
        if not 0 < len(octets) <= longest:
            raise self.wrong(name)
        return octets

    def optional_octets(self, name: str, longest: int) -> bytes | None:
        """Return octets that are written in base64, or None where there are none."""
        return self.octets(name, longest) if name in self._members else None

    def url_octets(self, name: str, longest: int) -> bytes:
        """Return octets that are written in base64url without padding (RFC 7515 section 2)."""
        return from_base64url(self.text(name, 2 * longest + 4), longest, self._code)

    def inner(self, name: str) -> "Members":
        """Return an object inside this one."""
        return Members(self.mapping(name), self._code)

    def mapping(self, name: str) -> Json:
        """Return an object inside this one as it is."""
        value = self._members.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name)
        return cast("Json", value)

    def many(self, name: str, most: int) -> tuple["Members", ...]:
        """Return the objects of a list of at most so many."""
        value = self._members.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name)
        if not all(isinstance(each, dict) for each in value):
            raise self.wrong(name)
        return tuple(Members(each, self._code) for each in value)

    def rest(self, *known: str) -> Json:
        """Return the members besides the known ones."""
        return {name: value for name, value in self._members.items() if name not in known}

    def wrong(self, name: str) -> MalformedError:
        """Return the failure of a member that is not as it should be."""
        return MalformedError(f"member {name}", self._code)


def read_json(octets: bytes, code: Code = Code.DPP_MALFORMED) -> Members:
    """Read a JSON object; raise MalformedError.

    Also for what others could not read again: numbers that are none, characters that are none,
    names that come twice, and objects nested too deeply.
    """
    try:
        value = json.loads(octets, object_pairs_hook=_once)
        _check(value, DEPTH_MAX)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON", code) from None
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object", code)
    return Members(value, code)


def write_json(value: Json, *, is_ascii: bool = False) -> bytes:
    """Return the object without blanks, if need be with escapes for all that is not ASCII.

    Raise TOO_LARGE for what wpa_supplicant 2.10 does not read.
    """
    if sum(1 for _ in _values(value, WRITTEN_DEPTH_MAX)) > WRITTEN_VALUES_MAX:
        raise MalformedError(f"JSON of over {WRITTEN_VALUES_MAX} values", Code.TOO_LARGE)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=is_ascii).encode()


def is_ambiguous(text: str) -> bool:
    """Say whether readers would take the characters of a typed text for octets: "Ã¶" for "ö"."""
    return _typed(text) != text


def as_octets(text: str) -> str:
    """Return a character for each octet; with escapes it is read as it was, here and there."""
    return text.encode().decode("latin-1")


def to_base64(octets: bytes) -> str:
    """Return octets in base64 (RFC 4648 section 4)."""
    return base64.b64encode(octets).decode()


def to_base64url(octets: bytes) -> str:
    """Return octets in base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text: str, longest: int, code: Code) -> bytes:
    """Return the octets of base64url without padding; raise MalformedError."""
    if not _BASE64URL.fullmatch(text):
        raise MalformedError("not base64url", code)
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise MalformedError("not base64url", code) from None
    if len(octets) > longest or to_base64url(octets) != text:
        raise MalformedError("base64url that is too long or not canonical", code)
    return octets


def _typed(text: str) -> str:
    with suppress(UnicodeError):
        return text.encode("latin-1").decode()
    return text


def _values(value: object, levels: int) -> Iterator[object]:
    """Yield the value and all inside it."""
    yield value
    inner: Iterable[object] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    else:
        return
    if levels == 0:
        raise MalformedError(f"JSON of over {WRITTEN_DEPTH_MAX} levels", Code.TOO_LARGE)
    for each in inner:
        yield from _values(each, levels - 1)


def _check(value: object, levels: int) -> None:
    if levels == 0 or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("too deep, or not a number")
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair is a ValueError
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check(name, levels)
            _check(inner, levels - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, levels - 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members
