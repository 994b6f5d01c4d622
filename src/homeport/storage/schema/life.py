# SPDX-License-Identifier: Apache-2.0
"""Commands to devices, and quarantine."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, text

from homeport.storage.schema.columns import METADATA, NUMBER, TEXT

UNANSWERED: Final = "state = 'asked'"

commands: Final = Table(
    "commands",
    METADATA,
    Column("number", NUMBER, primary_key=True),  # the order in which they were asked
    Column("id", TEXT, nullable=False, unique=True),
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("order", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("asked_by", TEXT, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("reason", TEXT, nullable=False),
    Index("ix_commands_device", "device", "number"),
    Index(
        "ix_commands_unanswered",
        "device",
        unique=True,
        sqlite_where=text(UNANSWERED),
        postgresql_where=text(UNANSWERED),
    ),
)

quarantines: Final = Table(
    "quarantines",
    METADATA,
    Column("device", TEXT, ForeignKey("devices.id"), primary_key=True),
    Column("by", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("released_at", BigInteger),
    sqlite_with_rowid=False,
)
