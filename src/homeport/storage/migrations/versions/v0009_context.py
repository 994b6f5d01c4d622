# SPDX-License-Identifier: Apache-2.0
"""What may come late: contexts with their tags, schemas of attributes, twins."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "contexts",
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("name_key", _TEXT, nullable=False),
        sa.Column("tags", _TEXT, nullable=False),
        sa.Column("place", _TEXT, nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("attributes", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_contexts_device")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_contexts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contexts_tenant", "contexts", ["tenant", "device"], unique=False)
    op.create_index(
        "ix_contexts_name_key", "contexts", ["tenant", "name_key", "device"], unique=False
    )
    op.create_table(
        "context_tags",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("tag", _TEXT, nullable=False),
        sa.Column("device", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["device"], ["contexts.device"], name=op.f("fk_context_tags_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "tag", "device", name=op.f("pk_context_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_context_tags_device", "context_tags", ["device"], unique=False)
    op.create_table(
        "schemas",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", _TEXT, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_schemas_tenant")),
        sa.PrimaryKeyConstraint("tenant", "model", "version", name=op.f("pk_schemas")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "twins",
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("desired", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("pushed", sa.BigInteger(), nullable=False),
        sa.Column("kept_for", _TEXT, nullable=True),
        sa.Column("reported", _TEXT, nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=True),
        sa.Column("series", _TEXT, nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_twins_device")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_twins")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_twins_unpushed",
        "twins",
        ["device"],
        unique=False,
        sqlite_where=sa.text("pushed < version"),
        postgresql_where=sa.text("pushed < version"),
    )
