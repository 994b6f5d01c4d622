# SPDX-License-Identifier: Apache-2.0
"""Answers that are kept for repeated requests at the people's door."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("caller", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("request", _TEXT, nullable=False),
        sa.Column("answer", _TEXT, nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_kept_answers")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_kept_answers_kept_at", "kept_answers", ["kept_at"], unique=False)
