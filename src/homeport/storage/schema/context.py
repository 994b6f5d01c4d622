# SPDX-License-Identifier: Apache-2.0
"""What may come late: contexts with their tags, schemas of attributes, twins."""

from typing import Final

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Table, text

from homeport.storage.schema.columns import METADATA, TEXT

UNPUSHED: Final = "pushed < version"

contexts: Final = Table(
    "contexts",
    METADATA,
    Column("device", TEXT, ForeignKey("devices.id"), primary_key=True),
    Column("tenant", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("name_key", TEXT, nullable=False),  # for people who do not mind capitals
    Column("tags", TEXT, nullable=False),  # JSON array, in order
    Column("place", TEXT, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("attributes", TEXT, nullable=False),  # JSON object
    Column("version", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_contexts_tenant", "tenant", "device"),
    Index("ix_contexts_name_key", "tenant", "name_key", "device"),
    sqlite_with_rowid=False,
)

context_tags: Final = Table(
    "context_tags",
    METADATA,
    # The same tags once more, found by tenant and tag.
    Column("tenant", TEXT, primary_key=True),
    Column("tag", TEXT, primary_key=True),
    Column("device", TEXT, ForeignKey("contexts.device"), primary_key=True),
    Index("ix_context_tags_device", "device"),
    sqlite_with_rowid=False,
)

schemas: Final = Table(
    "schemas",
    METADATA,
    Column("tenant", TEXT, ForeignKey("tenants.name"), primary_key=True),
    Column("model", TEXT, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("document", TEXT, nullable=False),  # JSON object
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

twins: Final = Table(
    "twins",
    METADATA,
    Column("device", TEXT, ForeignKey("devices.id"), primary_key=True),
    Column("tenant", TEXT),
    Column("desired", TEXT, nullable=False),  # JSON object
    Column("version", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("pushed", BigInteger, nullable=False),
    Column("kept_for", TEXT),
    Column("reported", TEXT, nullable=False),  # JSON object
    Column("reported_at", BigInteger),
    Column("series", TEXT, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    # Almost always empty: what waits for the broker.
    Index(
        "ix_twins_unpushed",
        "device",
        sqlite_where=text(UNPUSHED),
        postgresql_where=text(UNPUSHED),
    ),
    sqlite_with_rowid=False,
)
