# SPDX-License-Identifier: Apache-2.0
"""What ERP systems said, and the imports that brought it."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, text

from homeport.domain.ownership import ImportState
from homeport.storage.schema.columns import METADATA, NUMBER, TEXT

READING: Final = f"state = '{ImportState.READING.value}'"
OF_MODELS: Final = "model IS NOT NULL"

sales_imports: Final = Table(
    "sales_imports",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("digest", TEXT, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_sales_imports_digest", "digest", "number"),
    Index(
        "ix_sales_imports_reading",
        "changed_at",
        sqlite_where=text(READING),
        postgresql_where=text(READING),
    ),
)

sales_records: Final = Table(
    "sales_records",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("stem", TEXT, nullable=False),  # what first and last begin with in common
    Column("length", Integer, nullable=False),  # characters of first, and of last
    Column("first", TEXT, nullable=False),
    Column("last", TEXT, nullable=False),
    Column("model", TEXT),  # of a whole model; then the four before say nothing
    Column("authority", TEXT),
    Column("tenant", TEXT, ForeignKey("tenants.name")),  # none: to nobody
    Column("upstream", TEXT),
    Column("action", TEXT, nullable=False),
    Column("reference", TEXT),
    Column("recorded_at", BigInteger, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("imported_by", BigInteger, ForeignKey("sales_imports.number")),
    # Every serial number of a range begins with the range's stem: a search by the serial number's
    # own beginnings costs the same however many records there are.
    Index("ix_sales_records_stem", "stem", "length", "first"),
    Index(
        "ix_sales_records_model",
        "model",
        "authority",
        sqlite_where=text(OF_MODELS),
        postgresql_where=text(OF_MODELS),
    ),
)
