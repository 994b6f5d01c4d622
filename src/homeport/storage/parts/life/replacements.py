# SPDX-License-Identifier: Apache-2.0
"""Which devices took the place of which."""

from typing import Final

from sqlalchemy import select

from homeport.domain.device import DeviceId
from homeport.domain.life.replacement import Replacement, ReplacementState
from homeport.errors import Code
from homeport.storage.compiled import named, query, upsert
from homeport.storage.connection import Connection
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import replacements

_OF_NEW: Final = query(select(replacements).where(replacements.c.new == named("new")))
_PUT: Final = upsert(
    replacements,
    key=["new"],
    change=["old", "by", "at", "upstream_before", "was_revoked", "state"],
    absent=Code.DEVICE_UNKNOWN,
)


class SqlReplacements:
    """The port `Replacements`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def of_new(self, device: DeviceId) -> Replacement | None:
        """Return the latest in which this device came."""
        row = await self._connection.row(_OF_NEW, {"new": str(device)})
        if row is None:
            return None
        new, old, by, at, upstream_before, was_revoked, state = row
        return Replacement(
            new=DeviceId.parse(new),
            old=DeviceId.parse(old),
            by=by,
            at=to_instant(at),
            upstream_before=upstream_before,
            was_revoked=bool(was_revoked),
            state=ReplacementState(state),
        )

    async def put(self, replacement: Replacement) -> None:
        """Keep it, instead of an earlier one with the same new device."""
        values = {
            "new": str(replacement.new),
            "old": str(replacement.old),
            "by": replacement.by,
            "at": to_micros(replacement.at),
            "upstream_before": replacement.upstream_before,
            "was_revoked": int(replacement.was_revoked),
            "state": replacement.state.value,
        }
        await self._connection.run(_PUT, values)
