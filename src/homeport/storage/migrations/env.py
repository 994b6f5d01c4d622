# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: run migrations on the connection that `homeport.storage.upgrade` opened.

A new migration is written by hand as `versions/vNNNN_what.py` (NNNN is the revision), and HEAD in
`upgrade` names it; a test compares the result with the tables in `schema`.
"""

from alembic import context

from homeport.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
