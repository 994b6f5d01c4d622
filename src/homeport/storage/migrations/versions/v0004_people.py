# SPDX-License-Identifier: Apache-2.0
"""People: accounts, memberships, invitations, sessions, API keys, identities at a provider."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"

_TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("password_hash", _TEXT, nullable=True),
        sa.Column("is_operator", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("secret_hash", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("account", _TEXT, nullable=True),
        sa.Column("scopes", _TEXT, nullable=False),
        sa.Column("made_by", _TEXT, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_api_keys_account")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_api_keys_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_api_keys_account", "api_keys", ["account", "made_at"], unique=False)
    op.create_index("ix_api_keys_tenant", "api_keys", ["tenant", "made_at"], unique=False)
    op.create_table(
        "identities",
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_identities_account")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identities_account", "identities", ["account"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("code_hash", _TEXT, nullable=False),
        sa.Column("purpose", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=True),
        sa.Column("role", _TEXT, nullable=True),
        sa.Column("account", _TEXT, nullable=True),
        sa.Column("invited_by", _TEXT, nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("settled", _TEXT, nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_invitations_account")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_invitations_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitations_code_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invitations_tenant", "invitations", ["tenant", "id"], unique=False)
    op.create_table(
        "members",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_members_account")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name=op.f("fk_members_tenant")),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_members")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_account", "members", ["account", "tenant"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("program", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sessions_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_account", "sessions", ["account", "started_at"], unique=False)
