# SPDX-License-Identifier: Apache-2.0
"""Sales records that correct and cancel, of whole models, and imports of many."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_READING: Final = sa.text("state = 'reading'")
_OF_MODELS: Final = sa.text("model IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_devices_model", "devices", ["authority", "model", "id"], unique=False)
    _imports()
    # A record's tenant may be missing now, which SQLite cannot change in place.
    op.drop_index("ix_sales_records_stem", "sales_records")
    op.rename_table("sales_records", "former_sales_records")
    _records()
    op.execute(
        "INSERT INTO sales_records (number, stem, length, first, last, authority, tenant, upstream,"
        " recorded_at, source, action) SELECT number, stem, length, first, last, authority, tenant,"
        " upstream, recorded_at, source, 'sale' FROM former_sales_records"
    )
    op.drop_table("former_sales_records")


def _imports() -> None:
    op.create_table(
        "sales_imports",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sales_imports")),
    )
    op.create_index("ix_sales_imports_digest", "sales_imports", ["digest", "number"], unique=False)
    op.create_index(
        "ix_sales_imports_reading",
        "sales_imports",
        ["changed_at"],
        unique=False,
        sqlite_where=_READING,
        postgresql_where=_READING,
    )


def _records() -> None:
    op.create_table(
        "sales_records",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("stem", _TEXT, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("first", _TEXT, nullable=False),
        sa.Column("last", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=True),
        sa.Column("authority", _TEXT, nullable=True),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("upstream", _TEXT, nullable=True),
        sa.Column("action", _TEXT, nullable=False),
        sa.Column("reference", _TEXT, nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("imported_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_sales_records_tenant")),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["sales_imports.number"], name=op.f("fk_sales_records_imported_by")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sales_records")),
    )
    op.create_index(
        "ix_sales_records_stem", "sales_records", ["stem", "length", "first"], unique=False
    )
    op.create_index(
        "ix_sales_records_model",
        "sales_records",
        ["model", "authority"],
        unique=False,
        sqlite_where=_OF_MODELS,
        postgresql_where=_OF_MODELS,
    )
