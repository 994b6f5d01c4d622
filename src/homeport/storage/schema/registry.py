# SPDX-License-Identifier: Apache-2.0
"""Devices, whose they are, their runs and certificates, and what happened."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from homeport.domain.enrolment import State
from homeport.domain.ownership import Ownership
from homeport.storage.schema.columns import METADATA, NUMBER, TEXT

COMMON: Final = frozenset({State.OPERATIONAL, State.SUPERSEDED})
"""The states in which runs stay; the others are rare or passing, and only they have an index."""

UNCOMMON: Final = f"state NOT IN ({', '.join(sorted(repr(state.value) for state in COMMON))})"

authorities: Final = Table(
    "authorities",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("anchor", LargeBinary, nullable=False),
    Column("trusted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

upstreams: Final = Table(
    "upstreams",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("url", TEXT),
    Column("anchor", LargeBinary),
    Column("added_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

tenants: Final = Table(
    "tenants",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("title", TEXT, nullable=False),
    Column("default_upstream", TEXT, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

devices: Final = Table(
    "devices",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("authority", TEXT, nullable=False),
    Column("serial_number", TEXT, nullable=False),
    Column("model", TEXT, nullable=False),
    Column("hardware_identity", TEXT, nullable=False),
    Column("minted", Integer, nullable=False),
    Column("idevid_fingerprint", TEXT),
    Column("tenant", TEXT, ForeignKey("tenants.name")),
    Column("upstream", TEXT),
    Column("epoch", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("dpp_key", LargeBinary),
    Column("dpp_key_hash", TEXT),
    Column("claim_code_hash", TEXT),
    Column("ownership", TEXT, nullable=False, server_default=Ownership.UNOWNED.value),
    Column("proof", TEXT),
    # The ownership epoch for which the code counts: every new owner ends it.
    Column("claim_code_epoch", BigInteger, nullable=False, server_default="0"),
    Index("ix_devices_serial_number", "serial_number", "id"),
    Index(
        "ix_devices_tenant",
        "tenant",
        "serial_number",
        "id",
        sqlite_where=text("tenant IS NOT NULL"),
        postgresql_where=text("tenant IS NOT NULL"),
    ),
    Index("ix_devices_model", "authority", "model", "id"),
    sqlite_with_rowid=False,
)

enrolments: Final = Table(
    "enrolments",
    METADATA,
    Column("number", NUMBER, primary_key=True),  # the order in which they began
    Column("id", TEXT, nullable=False),
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("state", TEXT, nullable=False),
    Column("request_id", TEXT, nullable=False),
    Column("key_hash", TEXT, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("arrived_at", BigInteger),
    UniqueConstraint("id"),
    UniqueConstraint("device", "key_hash"),
    Index(
        "ix_enrolments_state",
        "state",
        "device",
        sqlite_where=text(UNCOMMON),
        postgresql_where=text(UNCOMMON),
    ),
)

credentials: Final = Table(
    "credentials",
    METADATA,
    Column("number", NUMBER, primary_key=True),  # the order in which they were issued
    Column("fingerprint", TEXT, nullable=False),
    Column("device", TEXT, ForeignKey("devices.id"), nullable=False),
    Column("enrolment", TEXT, ForeignKey("enrolments.id"), nullable=False),
    Column("request_id", TEXT, nullable=False),
    Column("key_hash", TEXT, nullable=False),
    Column("serial_number", TEXT, nullable=False),  # hex: 160 bits are no database's integer
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("revoked_at", BigInteger),
    UniqueConstraint("fingerprint"),
    # A device's credentials are found by its runs: their identifiers grow, devices do not.
    Index("ix_credentials_enrolment", "enrolment"),
    Index("ix_credentials_key_hash", "key_hash"),
    Index(
        "ix_credentials_revoked",
        "not_after",
        sqlite_where=text("state = 'revoked'"),
        postgresql_where=text("state = 'revoked'"),
    ),
)

vouchers: Final = Table(
    "vouchers",
    METADATA,
    # Vouchers may come before their device: no foreign key.
    Column("device", TEXT, primary_key=True),
    Column("upstream", TEXT, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("voucher", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

presence: Final = Table(
    "presence",
    METADATA,
    Column("device", TEXT, primary_key=True),
    Column("online", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

audit_events: Final = Table(
    "audit_events",
    METADATA,
    Column("cursor", NUMBER, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("tenant", TEXT),
    Column("device", TEXT),
    Column("enrolment", TEXT),
    Column("facts", TEXT, nullable=False),  # JSON object
    Index("ix_audit_events_device", "device", "cursor"),
    Index("ix_audit_events_tenant", "tenant", "cursor"),
)
