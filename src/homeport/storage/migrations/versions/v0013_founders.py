# SPDX-License-Identifier: Apache-2.0
"""Who founded a tenant; so far the audit trail alone remembers it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    column = sa.Column("has_founded", sa.Integer(), nullable=False, server_default="0")
    op.add_column("accounts", column)
    op.execute(
        "UPDATE accounts SET has_founded = 1 WHERE is_operator = 0 AND name IN"
        " (SELECT actor FROM audit_events WHERE name = 'tenant:added')"
    )
