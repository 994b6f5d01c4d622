# SPDX-License-Identifier: Apache-2.0
"""Commands to devices, and quarantine."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("order", _TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("asked_by", _TEXT, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_commands_device")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_commands")),
        sa.UniqueConstraint("id", name=op.f("uq_commands_id")),
    )
    op.create_index("ix_commands_device", "commands", ["device", "number"], unique=False)
    op.create_index(
        "ix_commands_unanswered",
        "commands",
        ["device"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "quarantines",
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_quarantines_device")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_quarantines")),
        sqlite_with_rowid=False,
    )
