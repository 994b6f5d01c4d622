# SPDX-License-Identifier: Apache-2.0
"""JSON documents of ours: how large and deep they may be, and what may stand in them.

Rules: what every JSON reader reads alike (I-JSON, RFC 7493): text is Unicode, numbers are finite
and whole ones exact; no null as a member's value, since a merge patch could not set it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from homeport.errors import Code, MalformedError

Document: TypeAlias = Mapping[str, Any]
"""A JSON object of checked contents; never altered, only replaced."""

DOCUMENT_MAX: Final = 8192
"""Octets as compact JSON: fits beside its context into one retained message."""
DEPTH_MAX: Final = 10
"""Levels of objects and arrays; a parser on a small device recurses."""
NAME_MAX: Final = 128
"""Characters of a member's name."""
WHOLE_MAX: Final = 2**53 - 1
"""Beyond it whole numbers are not exact everywhere (RFC 7493 section 2.2)."""


def check_document(document: object, what: str, limit: int = DOCUMENT_MAX) -> Document:
    """Return the document if it keeps the rules, else MalformedError (TOO_LARGE for its size)."""
    if not isinstance(document, Mapping):
        raise MalformedError(f"{what} is a JSON object")
    _check(document, what, 1)
    octets = len(compact(document))
    if octets > limit:
        raise MalformedError(f"{what} has {octets} octets of {limit}", Code.TOO_LARGE)
    return document


def check_patch(patch: object, what: str) -> Document:
    """Return a merge patch that is an object and not deeper than a document may be."""
    if not isinstance(patch, Mapping):
        raise MalformedError(f"a patch of {what} is a JSON object")
    _check(patch, what, 1, has_nulls=True)
    return patch


def compact(document: Document) -> bytes:
    """Write it as JSON without blanks; MalformedError for text that is not Unicode."""
    try:
        return json.dumps(
            document, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
    except (UnicodeEncodeError, ValueError) as error:
        raise MalformedError(f"not a JSON document: {error}"[:200]) from error


def _check(value: Any, what: str, depth: int, *, has_nulls: bool = False) -> None:
    match value:
        case bool() | str():
            pass
        case int():
            if abs(value) > WHOLE_MAX:
                raise MalformedError(f"{what}: a whole number beyond ±(2^53 - 1)")
        case float():
            if not math.isfinite(value):
                raise MalformedError(f"{what}: a number that is none")
        case _ if depth > DEPTH_MAX:
            raise MalformedError(f"{what} is deeper than {DEPTH_MAX} levels")
        case Mapping():
            _check_members(value, what, depth, has_nulls=has_nulls)
        case list() | tuple():
            _check_items(value, what, depth)
        case _:
            raise MalformedError(f"{what}: {type(value).__name__} is no value here")


def _check_items(values: Sequence[Any], what: str, depth: int) -> None:
    for value in values:
        if value is not None:
            _check(value, what, depth + 1)


def _check_members(document: Mapping[Any, Any], what: str, depth: int, *, has_nulls: bool) -> None:
    for name, value in document.items():
        if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX:
            raise MalformedError(f"{what}: names of members have 1 to {NAME_MAX} characters")
        if value is None and has_nulls:
            continue
        if value is None:
            raise MalformedError(f"{what}: {name[:60]!r} is null; leave it out instead")
        _check(value, what, depth + 1, has_nulls=has_nulls)
