# SPDX-License-Identifier: Apache-2.0
"""Commands to devices, quarantine, offers to other tenants, replacements."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)

from homeport.storage.schema.columns import METADATA, NUMBER, TEXT

UNANSWERED: Final = "state = 'asked'"

commands: Final = Table(
    "commands",
    METADATA,
    Column("number", NUMBER, primary_key=True),  # the order in which they were asked
    Column("id", TEXT, nullable=False, unique=True),
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("order", TEXT, nullable=False),
    Column("epoch", BigInteger, nullable=False),
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

OPEN: Final = "state = 'open'"

offers: Final = Table(
    "offers",
    METADATA,
    Column("id", TEXT, primary_key=True),  # begins with the time: ids are in the order of making
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("seller", TEXT, ForeignKey("tenants.name"), nullable=False),
    Column("buyer", TEXT, ForeignKey("tenants.name")),
    Column("code_hash", LargeBinary),
    Column("offered_by", TEXT, nullable=False),
    Column("offered_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("ended_at", BigInteger),
    Index("ix_offers_seller", "seller", "id"),
    Index("ix_offers_buyer", "buyer", "id"),
    Index("ix_offers_ended_at", "ended_at"),
    Index(
        "ix_offers_open",
        "device",
        unique=True,
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    Index(
        "ix_offers_code_hash",
        "code_hash",
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    Index(
        "ix_offers_expires_at",
        "expires_at",
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    sqlite_with_rowid=False,
)

replacements: Final = Table(
    "replacements",
    METADATA,
    Column("new", TEXT, ForeignKey("devices.id"), primary_key=True),
    Column("old", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("by", TEXT, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("upstream_before", TEXT),
    Column("was_revoked", Integer, nullable=False),
    Column("state", TEXT, nullable=False),
    sqlite_with_rowid=False,
)
