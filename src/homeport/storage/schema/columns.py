# SPDX-License-Identifier: Apache-2.0
"""What all tables share: how constraints are named, and the kinds of column."""

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData, String

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TEXT: Final = String().with_variant(String(collation="C"), "postgresql")
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""In SQLite only INTEGER can count by itself; it has 64 bits there."""
