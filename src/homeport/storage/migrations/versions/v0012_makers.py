# SPDX-License-Identifier: Apache-2.0
"""Who answers for a key or an invitation."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    for table, name in (("api_keys", "made_by"), ("invitations", "invited_by")):
        op.add_column(table, sa.Column("maker", _TEXT, nullable=True))
        op.execute(
            f"UPDATE {table} SET maker ="  # noqa: S608 - names of this file
            f" (SELECT accounts.id FROM accounts WHERE accounts.name = {table}.{name})"
        )
    # What a key invited is its maker's affair.
    op.execute(
        "UPDATE invitations SET maker = (SELECT api_keys.maker FROM api_keys"
        " WHERE invitations.invited_by = 'key hpk_' || api_keys.id) WHERE maker IS NULL"
    )
    op.create_index("ix_api_keys_maker", "api_keys", ["maker", "made_at"], unique=False)
    op.create_index("ix_invitations_maker", "invitations", ["maker", "id"], unique=False)
