# SPDX-License-Identifier: Apache-2.0
"""Claims by code."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, text

from homeport.domain.claim import ClaimState
from homeport.storage.schema.columns import METADATA, TEXT

PENDING: Final = f"state = '{ClaimState.PENDING.value}'"

claims: Final = Table(
    "claims",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("tenant", TEXT, ForeignKey("tenants.name"), nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("ended_at", BigInteger),
    # One pending claim a device: of two tenants in the same instant exactly one wins.
    Index(
        "ix_claims_device",
        "device",
        unique=True,
        sqlite_where=text(PENDING),
        postgresql_where=text(PENDING),
    ),
    Index(
        "ix_claims_tenant",
        "tenant",
        "id",
        sqlite_where=text(PENDING),
        postgresql_where=text(PENDING),
    ),
    sqlite_with_rowid=False,
)
