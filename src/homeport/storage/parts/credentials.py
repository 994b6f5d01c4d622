# SPDX-License-Identifier: Apache-2.0
"""The operational certificates that were issued."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnClause, literal_column, select

from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.storage.compiled import Values, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import credentials, enrolments

_ALL: Final = select(*(column for column in credentials.columns if column.name != "number"))
_ORDER: Final = credentials.c.number
_REVOKED_WORD: Final[ColumnClause[str]] = literal_column(f"'{CredentialState.REVOKED.value}'")

_GET: Final = query(_ALL.where(credentials.c.fingerprint == named("fingerprint")))
_RUNS: Final = select(enrolments.c.id).where(enrolments.c.device == named("device"))
_OF_DEVICE: Final = query(_ALL.where(credentials.c.enrolment.in_(_RUNS)).order_by(_ORDER))
_OF_KEY: Final = query(_ALL.where(credentials.c.key_hash == named("key_hash")).order_by(_ORDER))
_REVOKED: Final = query(
    _ALL.where(
        credentials.c.state == _REVOKED_WORD, credentials.c.not_after > named("now")
    ).order_by(credentials.c.not_after)
)
_PUT: Final = upsert(
    credentials,
    key=["fingerprint"],
    change=["state", "revoked_at"],
    without=["number"],
    absent=Code.NOT_FOUND,
)


class SqlCredentials:
    """The port `Credentials`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, fingerprint: str) -> Credential | None:
        """Return one by the hash of its certificate."""
        row = await self._connection.row(_GET, {"fingerprint": fingerprint})
        return _credential(row) if row else None

    async def of_device(self, device: DeviceId) -> Sequence[Credential]:
        """Return a device's, oldest first."""
        rows = await self._connection.rows(_OF_DEVICE, {"device": str(device)})
        return [_credential(row) for row in rows]

    async def of_key(self, key_hash: str) -> Sequence[Credential]:
        """Return all that certify this key, oldest first."""
        rows = await self._connection.rows(_OF_KEY, {"key_hash": key_hash})
        return [_credential(row) for row in rows]

    async def revoked(self, now: datetime) -> Sequence[Credential]:
        """Return those revoked and not yet expired, by expiry."""
        rows = await self._connection.rows(_REVOKED, {"now": to_micros(now)})
        return [_credential(row) for row in rows]

    async def put(self, credential: Credential) -> None:
        """Add it, or change the state of the one that is there."""
        await self._connection.run(_PUT, _values(credential))


def _credential(row: Row) -> Credential:
    fingerprint, device, enrolment, request_id, key_hash, serial_number, *rest = row
    not_before, not_after, epoch, certificate, state, revoked_at = rest
    return Credential(
        fingerprint=fingerprint,
        device=DeviceId.parse(device),
        enrolment=enrolment,
        request_id=request_id,
        key_hash=key_hash,
        serial_number=int(serial_number, 16),
        not_before=to_instant(not_before),
        not_after=to_instant(not_after),
        epoch=epoch,
        certificate=certificate,
        state=CredentialState(state),
        revoked_at=to_instant_or_none(revoked_at),
    )


def _values(credential: Credential) -> Values:
    return {
        "fingerprint": credential.fingerprint,
        "device": str(credential.device),
        "enrolment": credential.enrolment,
        "request_id": credential.request_id,
        "key_hash": credential.key_hash,
        "serial_number": f"{credential.serial_number:x}",
        "not_before": to_micros(credential.not_before),
        "not_after": to_micros(credential.not_after),
        "epoch": credential.epoch,
        "certificate": credential.certificate,
        "state": credential.state.value,
        "revoked_at": to_micros_or_none(credential.revoked_at),
    }
