# SPDX-License-Identifier: Apache-2.0
"""The tables. A change here needs a migration; a test compares the two.

Rules: portable types only; devices are named by `str(DeviceId)`; instants are microseconds (see
`instants`); no private keys, ever. Text sorts by code point, as Python does. `upstream` columns
are no foreign keys: the platform's own upstream needs no row.

What an enrolment costs is the number of pages that it touches. An index on what grows (a number, an
identifier that begins with the time) touches one page for a whole group of commits; an index on a
hash or a device touches one for each device. So there is none that nothing needs.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from homeport.domain.enrolment import State

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TEXT: Final = String().with_variant(String(collation="C"), "postgresql")
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""In SQLite only INTEGER can count by itself; it has 64 bits there."""

COMMON: Final = frozenset({State.OPERATIONAL, State.SUPERSEDED})
"""The states in which runs stay; the others are rare or passing, and only they have an index."""

UNCOMMON: Final = f"state NOT IN ({', '.join(sorted(repr(state.value) for state in COMMON))})"

authorities: Final = Table(
    "authorities",
    METADATA,
    Column("id", _TEXT, primary_key=True),
    Column("name", _TEXT, nullable=False),
    Column("anchor", LargeBinary, nullable=False),
    Column("trusted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

upstreams: Final = Table(
    "upstreams",
    METADATA,
    Column("name", _TEXT, primary_key=True),
    Column("kind", _TEXT, nullable=False),
    Column("url", _TEXT),
    Column("anchor", LargeBinary),
    Column("added_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

tenants: Final = Table(
    "tenants",
    METADATA,
    Column("name", _TEXT, primary_key=True),
    Column("title", _TEXT, nullable=False),
    Column("default_upstream", _TEXT, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

devices: Final = Table(
    "devices",
    METADATA,
    Column("id", _TEXT, primary_key=True),
    Column("authority", _TEXT, nullable=False),
    Column("serial_number", _TEXT, nullable=False),
    Column("model", _TEXT, nullable=False),
    Column("hardware_identity", _TEXT, nullable=False),
    Column("minted", Integer, nullable=False),
    Column("idevid_fingerprint", _TEXT),
    Column("tenant", _TEXT, ForeignKey("tenants.name")),
    Column("upstream", _TEXT),
    Column("epoch", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("dpp_key", LargeBinary),
    Column("dpp_key_hash", _TEXT),
    Column("claim_code_hash", _TEXT),
    Index("ix_devices_serial_number", "serial_number", "id"),
    sqlite_with_rowid=False,
)

sales_records: Final = Table(
    "sales_records",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    Column("stem", _TEXT, nullable=False),  # what first and last begin with in common
    Column("length", Integer, nullable=False),  # characters of first, and of last
    Column("first", _TEXT, nullable=False),
    Column("last", _TEXT, nullable=False),
    Column("authority", _TEXT),
    Column("tenant", _TEXT, ForeignKey("tenants.name"), nullable=False),
    Column("upstream", _TEXT),
    Column("recorded_at", BigInteger, nullable=False),
    Column("source", _TEXT, nullable=False),
    # Every serial number of a range begins with the range's stem: a search by the serial number's
    # own beginnings costs the same however many records there are.
    Index("ix_sales_records_stem", "stem", "length", "first"),
)

enrolments: Final = Table(
    "enrolments",
    METADATA,
    Column("number", _NUMBER, primary_key=True),  # the order in which they began
    Column("id", _TEXT, nullable=False),
    Column("device", _TEXT, ForeignKey("devices.id"), nullable=False),
    Column("state", _TEXT, nullable=False),
    Column("request_id", _TEXT, nullable=False),
    Column("key_hash", _TEXT, nullable=False),
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
    Column("number", _NUMBER, primary_key=True),  # the order in which they were issued
    Column("fingerprint", _TEXT, nullable=False),
    Column("device", _TEXT, ForeignKey("devices.id"), nullable=False),
    Column("enrolment", _TEXT, ForeignKey("enrolments.id"), nullable=False),
    Column("request_id", _TEXT, nullable=False),
    Column("key_hash", _TEXT, nullable=False),
    Column("serial_number", _TEXT, nullable=False),  # hex: 160 bits are no database's integer
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("state", _TEXT, nullable=False),
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
    Column("device", _TEXT, primary_key=True),
    Column("upstream", _TEXT, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("voucher", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

presence: Final = Table(
    "presence",
    METADATA,
    Column("device", _TEXT, primary_key=True),
    Column("online", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

audit_events: Final = Table(
    "audit_events",
    METADATA,
    Column("cursor", _NUMBER, primary_key=True),
    Column("name", _TEXT, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", _TEXT, nullable=False),
    Column("device", _TEXT),
    Column("enrolment", _TEXT),
    Column("facts", _TEXT, nullable=False),  # JSON object
    Index("ix_audit_events_device", "device", "cursor"),
)
