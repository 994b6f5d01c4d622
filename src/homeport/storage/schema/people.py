# SPDX-License-Identifier: Apache-2.0
"""People and programs: accounts, who belongs where, and what was given to them.

No password, code or token is here, only what tells the right one: argon2id, or SHA-256 of what is
random enough.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from homeport.storage.schema.columns import METADATA, TEXT

accounts: Final = Table(
    "accounts",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("password_hash", TEXT),
    Column("is_operator", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("has_founded", Integer, nullable=False, server_default="0"),
    UniqueConstraint("name"),
    sqlite_with_rowid=False,
)

identities: Final = Table(
    "identities",
    METADATA,
    Column("issuer", TEXT, primary_key=True),
    Column("subject", TEXT, primary_key=True),
    Column("account", TEXT, ForeignKey("accounts.id"), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    Index("ix_identities_account", "account"),
    sqlite_with_rowid=False,
)

members: Final = Table(
    "members",
    METADATA,
    Column("tenant", TEXT, ForeignKey("tenants.name"), primary_key=True),
    Column("account", TEXT, ForeignKey("accounts.id"), primary_key=True),
    Column("role", TEXT, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Index("ix_members_account", "account", "tenant"),
    sqlite_with_rowid=False,
)

invitations: Final = Table(
    "invitations",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("code_hash", TEXT, nullable=False),
    Column("purpose", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("tenant", TEXT, ForeignKey("tenants.name")),
    Column("role", TEXT),
    Column("account", TEXT, ForeignKey("accounts.id")),
    Column("invited_by", TEXT, nullable=False),
    Column("invited_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("settled", TEXT),
    Column("settled_at", BigInteger),
    Column("maker", TEXT),  # an account; none is ever removed
    UniqueConstraint("code_hash"),
    Index("ix_invitations_maker", "maker", "id"),
    Index("ix_invitations_tenant", "tenant", "id"),
    sqlite_with_rowid=False,
)

sessions: Final = Table(
    "sessions",
    METADATA,
    Column("token_hash", TEXT, primary_key=True),
    Column("account", TEXT, ForeignKey("accounts.id"), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("program", TEXT, nullable=False),
    Index("ix_sessions_account", "account", "started_at"),
    sqlite_with_rowid=False,
)

api_keys: Final = Table(
    "api_keys",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("secret_hash", TEXT, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("tenant", TEXT, ForeignKey("tenants.name")),
    Column("account", TEXT, ForeignKey("accounts.id")),
    Column("scopes", TEXT, nullable=False),  # by name, with blanks between
    Column("made_by", TEXT, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("maker", TEXT),  # an account; none is ever removed
    Index("ix_api_keys_maker", "maker", "made_at"),
    Index("ix_api_keys_tenant", "tenant", "made_at"),
    Index("ix_api_keys_account", "account", "made_at"),
    sqlite_with_rowid=False,
)
