# SPDX-License-Identifier: Apache-2.0
"""The registry in one SQLite file."""

from homeport.storage.sqlite.registry import SqliteRegistry

__all__ = ["SqliteRegistry"]
