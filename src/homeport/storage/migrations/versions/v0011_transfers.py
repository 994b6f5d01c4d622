# SPDX-License-Identifier: Apache-2.0
"""Offers to other tenants, and devices that replace others."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("seller", _TEXT, nullable=False),
        sa.Column("buyer", _TEXT, nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("offered_by", _TEXT, nullable=False),
        sa.Column("offered_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_offers_device")),
        sa.ForeignKeyConstraint(["seller"], ["tenants.name"], name=op.f("fk_offers_seller")),
        sa.ForeignKeyConstraint(["buyer"], ["tenants.name"], name=op.f("fk_offers_buyer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_offers_seller", "offers", ["seller", "id"], unique=False)
    op.create_index("ix_offers_buyer", "offers", ["buyer", "id"], unique=False)
    op.create_index("ix_offers_ended_at", "offers", ["ended_at"], unique=False)
    op.create_index(
        "ix_offers_open",
        "offers",
        ["device"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    for column in ("code_hash", "expires_at"):
        op.create_index(
            f"ix_offers_{column}",
            "offers",
            [column],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
    op.create_table(
        "replacements",
        sa.Column("new", _TEXT, nullable=False),
        sa.Column("old", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("upstream_before", _TEXT, nullable=True),
        sa.Column("was_revoked", sa.Integer(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["new"], ["devices.id"], name=op.f("fk_replacements_new")),
        sa.ForeignKeyConstraint(["old"], ["devices.id"], name=op.f("fk_replacements_old")),
        sa.PrimaryKeyConstraint("new", name=op.f("pk_replacements")),
        sqlite_with_rowid=False,
    )
