# SPDX-License-Identifier: Apache-2.0
"""What the parts need of a database connection; each database implements it once.

All are `async`, because PostgreSQL's driver is. SQLite's never suspends, so that a whole verb
can be driven in the writer's thread.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from homeport.provisioning.ports import Staged
from homeport.storage.compiled import Statement, Values

Row: TypeAlias = tuple[Any, ...]


class Connection(Protocol):
    """One connection, inside a transaction."""

    async def row(self, statement: Statement, values: Values) -> Row | None:
        """Return the first row."""
        ...

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Return all rows."""
        ...

    async def run(self, statement: Statement, values: Values) -> int:
        """Change something; return how many rows were."""
        ...

    async def run_many(self, statement: Statement, values: Iterable[Values]) -> int:
        """Change something once for each of the values; return how many rows were."""
        ...

    async def reach(self, staged: Staged[Any]) -> str:
        """Make rows that were laid ready visible; return the schema in which their table stands."""
        ...
