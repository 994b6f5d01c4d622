# SPDX-License-Identifier: Apache-2.0
"""The heads of the hash chain over the audit trail. The trail itself stands with the registry."""

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from homeport.storage.schema.columns import METADATA, NUMBER

audit_heads: Final = Table(
    "audit_heads",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),  # cursor; stands in the signed statement, too
    Column("jws", LargeBinary, nullable=False),
    Column("marks", LargeBinary, nullable=False),
)
