# SPDX-License-Identifier: Apache-2.0
"""Lists in pages: what comes after a key, so that additions and removals shift nothing.

The cursor is the key of the last item that was seen. Callers pass it back as it is and must not
read anything out of it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, NamedTuple, TypeVar

from fastapi import Depends, Query

from homeport.api.wire.model import Page

LIMIT: Final = 100
LIMIT_MAX: Final = 1000
CURSOR_MAX: Final = 300
"""Characters; the longest key is a device id with every octet escaped."""

Row = TypeVar("Row")
Item = TypeVar("Item")


class Span(NamedTuple):
    """Which part of a list is asked for."""

    after: str | None
    limit: int

    @property
    def fetch(self) -> int:
        """How many rows to read: one more, to know whether there is a next page."""
        return self.limit + 1


def _span(
    after: Annotated[
        str | None, Query(max_length=CURSOR_MAX, description="`next` of before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="At most so many.")] = LIMIT,
) -> Span:
    return Span(after, limit)


Paged = Annotated[Span, Depends(_span)]
"""Parameter of a handler that lists."""


def page_of(
    rows: Sequence[Row], span: Span, to_item: Callable[[Row], Item], key: Callable[[Row], str]
) -> Page[Item]:
    """Make a page of `span.fetch` rows (or fewer, at the end)."""
    shown = rows[: span.limit]
    after = key(shown[-1]) if len(rows) > span.limit else None
    return Page(items=[to_item(row) for row in shown], next=after)
