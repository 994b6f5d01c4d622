# SPDX-License-Identifier: Apache-2.0
"""Claims by code, and what each owner's title rests on."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_PENDING: Final = sa.text("state = 'pending'")


def upgrade() -> None:
    op.add_column("devices", sa.Column("proof", _TEXT, nullable=True))
    op.add_column(
        "devices",
        sa.Column("claim_code_epoch", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.execute("UPDATE devices SET proof = 'sales-record' WHERE tenant IS NOT NULL")
    op.create_table(
        "claims",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_claims_device")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_claims_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_claims_device",
        "claims",
        ["device"],
        unique=True,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index(
        "ix_claims_tenant",
        "claims",
        ["tenant", "id"],
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
