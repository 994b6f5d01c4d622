# SPDX-License-Identifier: Apache-2.0
"""One import of many sales records: none of them counts before all of them do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ImportState(StrEnum):
    """How far an import has come."""

    READING = "reading"  # its records are checked and kept, and do not count yet
    DECIDED = "decided"  # they count; devices that are registered already are being told
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesImport:
    """An import, named by what was imported: the same file again goes on where it stopped."""

    number: int
    """Given by the registry."""
    digest: str
    """SHA-256 of what was imported, hex."""
    source: str
    state: ImportState
    after: int
    """Number of the newest sales record when it began; its own have greater ones."""
    changed_at: datetime
