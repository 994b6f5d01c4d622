# SPDX-License-Identifier: Apache-2.0
"""Answers that are kept for repeated requests at the people's door."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table

from homeport.storage.schema.columns import METADATA, TEXT

kept_answers: Final = Table(
    "kept_answers",
    METADATA,
    Column("caller", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("request", TEXT, nullable=False),
    Column("answer", TEXT, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Index("ix_kept_answers_kept_at", "kept_at"),
    sqlite_with_rowid=False,
)
