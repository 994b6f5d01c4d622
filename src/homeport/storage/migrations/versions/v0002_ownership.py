# SPDX-License-Identifier: Apache-2.0
"""How it stands with each device's owner."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    column = sa.Column("ownership", _TEXT, nullable=False, server_default="unowned")
    op.add_column("devices", column)
    op.execute("UPDATE devices SET ownership = 'owned' WHERE tenant IS NOT NULL")
