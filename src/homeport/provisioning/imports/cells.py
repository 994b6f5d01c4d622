# SPDX-License-Identifier: Apache-2.0
"""Values as cells of a CSV file, the same both ways: docs/operate/context.md.

An empty cell says nothing, `null` takes away. Text stands as it is; text that could be taken for
something else (by us, or for a formula by a spreadsheet) stands as a JSON string, in quotes.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from homeport.errors import MalformedError

GONE: Final = "null"
TAG_SIGN: Final = ";"
_MARKS: Final = ('"', "[", "{", "=", "+", "-", "@")
"""A cell that begins so is no plain text: JSON, or a formula."""
_TOO_DEEP: Final = "a cell with more lists in lists than anybody needs"


def cell_of(value: Any) -> str:
    """Write a value."""
    if isinstance(value, str) and not _is_json(value):
        return text_cell(value)
    return json.dumps(value, ensure_ascii=False)


def text_cell(text: str) -> str:
    """Write text."""
    return text if _is_plain(text) else json.dumps(text, ensure_ascii=False)


def value_of(cell: str, kind: str | None) -> Any:
    """Read a value of this JSON Schema type (None: whatever it looks like); None: taken away.

    MalformedError for quotes that are no JSON string, and for what is nested without end.
    """
    if cell == GONE:
        return None
    if kind == "string" or cell.startswith('"'):
        return text_of(cell)
    try:
        return json.loads(cell, parse_constant=_refuse)
    except RecursionError:
        raise MalformedError(_TOO_DEEP) from None
    except ValueError:
        return cell


def text_of(cell: str) -> str | None:
    """Read text; None: taken away."""
    if cell == GONE:
        return None
    if not cell.startswith('"'):
        return cell
    try:
        text = json.loads(cell)
    except ValueError as error:
        raise MalformedError(f"a cell that begins with a quote is a JSON string: {error}") from None
    if not isinstance(text, str):
        raise MalformedError("a cell that begins with a quote is a JSON string")
    return text


def tags_cell(tags: Sequence[str]) -> str:
    """Write tags: `a;b`, or a JSON list if that would not be read alike."""
    plain = all(_is_plain(tag) and TAG_SIGN not in tag for tag in tags)
    return TAG_SIGN.join(tags) if plain else json.dumps(list(tags), ensure_ascii=False)


def tags_of(cell: str) -> list[Any] | None:
    """Read tags; None: taken away."""
    if cell == GONE:
        return None
    if not cell.startswith("["):
        return [tag.strip() for tag in cell.split(TAG_SIGN) if tag.strip()]
    try:
        return list(json.loads(cell))
    except RecursionError:
        raise MalformedError(_TOO_DEEP) from None
    except ValueError as error:
        raise MalformedError(f"tags are a;b or a JSON list: {error}") from None


def _is_plain(text: str) -> bool:
    """Whether it is read as itself where text is expected, and is no formula for a spreadsheet."""
    is_line = bool(text) and text == text.strip() and text.isprintable()
    return is_line and text != GONE and not text.startswith(_MARKS)


def _is_json(text: str) -> bool:
    """Whether it could be taken for another value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
