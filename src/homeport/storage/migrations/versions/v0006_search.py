# SPDX-License-Identifier: Apache-2.0
"""A tenant's devices by serial number, for lists and searches."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    op.create_index(
        "ix_devices_tenant",
        "devices",
        ["tenant", "serial_number", "id"],
        unique=False,
        sqlite_where=sa.text("tenant IS NOT NULL"),
        postgresql_where=sa.text("tenant IS NOT NULL"),
    )
