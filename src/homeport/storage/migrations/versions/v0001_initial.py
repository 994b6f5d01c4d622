# SPDX-License-Identifier: Apache-2.0
"""The first schema: who is trusted, who owns, what there is, and what happened to it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("cursor", _NUMBER, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("device", _TEXT, nullable=True),
        sa.Column("enrolment", _TEXT, nullable=True),
        sa.Column("facts", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("cursor", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_device", "audit_events", ["device", "cursor"], unique=False)
    op.create_index("ix_audit_events_tenant", "audit_events", ["tenant", "cursor"], unique=False)
    op.create_table(
        "authorities",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("anchor", sa.LargeBinary(), nullable=False),
        sa.Column("trusted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorities")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "presence",
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tenants",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("default_upstream", _TEXT, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tenants")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstreams",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=True),
        sa.Column("anchor", sa.LargeBinary(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_upstreams")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vouchers",
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("upstream", _TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "upstream", "epoch", name=op.f("pk_vouchers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "devices",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("authority", _TEXT, nullable=False),
        sa.Column("serial_number", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("hardware_identity", _TEXT, nullable=False),
        sa.Column("minted", sa.Integer(), nullable=False),
        sa.Column("idevid_fingerprint", _TEXT, nullable=True),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("upstream", _TEXT, nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("dpp_key", sa.LargeBinary(), nullable=True),
        sa.Column("dpp_key_hash", _TEXT, nullable=True),
        sa.Column("claim_code_hash", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_devices_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_devices_serial_number", "devices", ["serial_number", "id"], unique=False)
    op.create_table(
        "sales_records",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("stem", _TEXT, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("first", _TEXT, nullable=False),
        sa.Column("last", _TEXT, nullable=False),
        sa.Column("authority", _TEXT, nullable=True),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("upstream", _TEXT, nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_sales_records_tenant")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sales_records")),
    )
    op.create_index(
        "ix_sales_records_stem", "sales_records", ["stem", "length", "first"], unique=False
    )
    op.create_table(
        "enrolments",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("request_id", _TEXT, nullable=False),
        sa.Column("key_hash", _TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_enrolments_device")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("device", "key_hash", name=op.f("uq_enrolments_device_key_hash")),
        sa.UniqueConstraint("id", name=op.f("uq_enrolments_id")),
    )
    op.create_index(
        "ix_enrolments_state",
        "enrolments",
        ["state", "device"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('operational', 'superseded')"),
        postgresql_where=sa.text("state NOT IN ('operational', 'superseded')"),
    )
    op.create_table(
        "credentials",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("enrolment", _TEXT, nullable=False),
        sa.Column("request_id", _TEXT, nullable=False),
        sa.Column("key_hash", _TEXT, nullable=False),
        sa.Column("serial_number", _TEXT, nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_credentials_device")),
        sa.ForeignKeyConstraint(
            ["enrolment"], ["enrolments.id"], name=op.f("fk_credentials_enrolment")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_credentials")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_credentials_fingerprint")),
    )
    op.create_index("ix_credentials_enrolment", "credentials", ["enrolment"], unique=False)
    op.create_index("ix_credentials_key_hash", "credentials", ["key_hash"], unique=False)
    op.create_index(
        "ix_credentials_revoked",
        "credentials",
        ["not_after"],
        unique=False,
        sqlite_where=sa.text("state = 'revoked'"),
        postgresql_where=sa.text("state = 'revoked'"),
    )
