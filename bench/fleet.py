# SPDX-License-Identifier: Apache-2.0
"""A registry as a platform has it after years: many devices, their owners, and what happened.

Written as rows: a million devices that are sold and enrol one after the other would take an hour.
"""

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from homeport.domain.tenant import Tenant
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.ports import MintedDevice, Transaction
from homeport.storage.sqlite import SqliteRegistry

AT_ONCE = 500
"""Tenants in one transaction."""


def tenant_of(number: int) -> str:
    return f"t{number:05}"


async def register(
    path: Path, authority: str, devices: Iterable[MintedDevice], *, tenants: int
) -> None:
    """Make the registry, with tenants and with devices that nobody owns."""
    now = datetime.now(UTC)
    async with SqliteRegistry(path) as registry:
        await registry.transact(lambda tx: add_own_upstream(tx, now=now))
        for first in range(0, tenants, AT_ONCE):

            async def add(tx: Transaction, first: int = first) -> None:
                for name in map(tenant_of, range(first, min(first + AT_ONCE, tenants))):
                    await tx.tenants.add(
                        Tenant(name=name, title=name, default_upstream="here", added_at=now)
                    )

            await registry.transact(add)
        async with registry.stage_minted(authority, devices) as staged:
            await registry.transact(lambda tx: tx.devices.add_minted(staged, now))


_SELL = (
    """
    UPDATE devices SET upstream = 'here', epoch = 1, ownership = 'owned', proof = 'sales-record',
      tenant = printf('t%05d', CASE WHEN abs(random()) % 10 THEN abs(random())
        % :tenants ELSE 0 END)
    WHERE serial_number >= :first
    """,
    "INSERT INTO sales_imports VALUES (1, 'bench', 'bench.csv', 'done', 0, :now)",
    """
    INSERT INTO sales_records (stem, length, first, last, tenant, action, reference, recorded_at,
      source, imported_by)
    SELECT serial_number, length(serial_number), serial_number, serial_number, tenant, 'sale',
      'PO-4711', :now, 'bench.csv, line ' || (1 + row_number() OVER ()), 1
    FROM devices WHERE tenant IS NOT NULL ORDER BY serial_number
    """,
    """
    INSERT INTO audit_events (name, at, actor, tenant, device, facts)
    SELECT 'device:assigned', :now, 'operator bench', tenant, id, json_object('epoch', 1,
      'proof', 'sales-record', 'source', 'bench.csv', 'tenant', tenant, 'upstream', 'here')
    FROM devices WHERE tenant IS NOT NULL AND serial_number LIKE '%00' ORDER BY serial_number
    """,
)
_BRING_HOME = (
    """
    INSERT INTO enrolments (id, device, state, request_id, key_hash, epoch, started_at, changed_at,
      arrived_at)
    SELECT printf('%016x', row_number() OVER ()) || lower(hex(randomblob(8))), id, 'operational',
      lower(hex(randomblob(16))), lower(hex(randomblob(32))), epoch, :now, :now, :now
    FROM devices WHERE serial_number >= :first ORDER BY serial_number
    """,
    """
    INSERT INTO credentials (fingerprint, device, enrolment, request_id, key_hash, serial_number,
      not_before, not_after, epoch, certificate, state)
    SELECT lower(hex(randomblob(32))), device, id, request_id, key_hash, lower(hex(randomblob(20))),
      :now, :now + 90 * 86400000000, epoch, randomblob(600), 'current'
    FROM enrolments ORDER BY number
    """,
    # Off: a platform that starts asks itself where a million connected devices are.
    "INSERT INTO presence SELECT device, 0, :now FROM enrolments",
)


def sell(path: Path, *, first: str, tenants: int) -> None:
    """Give devices from this serial number on to whichever tenant, by a sales record for each.

    One tenant is large: it has a tenth of them. The trail tells it of each hundredth device only: a
    platform that starts publishes all of it, some thousand events a second, and is not at rest.
    """
    _write(path, _SELL, first=first, tenants=tenants)


def bring_home(path: Path, *, first: str) -> None:
    """Let devices from this serial number on have enrolled; none is connected now."""
    _write(path, _BRING_HOME, first=first)


def _write(path: Path, statements: Iterable[str], **values: object) -> None:
    values["now"] = time.time_ns() // 1000
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("BEGIN")
        for statement in statements:
            raw.execute(statement, values)
        raw.execute("COMMIT")
