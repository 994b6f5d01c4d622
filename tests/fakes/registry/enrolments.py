# SPDX-License-Identifier: Apache-2.0
"""Runs, certificates, vouchers and presence in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.registry.rows import Rows, keepable
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Presence, StoredVoucher


def latest_of(rows: Rows, device: DeviceId) -> Enrolment | None:
    """The run that the device's state is read from."""
    rank = {State.AWAITING_DECISION: 0, State.REFUSED: 0, State.SUPERSEDED: 1}
    runs = [run for run in rows.enrolments.values() if run.device == device]
    return max(reversed(runs), key=lambda run: rank.get(run.state, 2), default=None)


class FakeEnrolments:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def latest(self, device: DeviceId) -> Enrolment | None:
        return latest_of(self._rows, device)

    async def with_key(self, device: DeviceId, key_hash: str) -> Enrolment | None:
        for run in self._rows.enrolments.values():
            if run.device == device and run.key_hash == key_hash:
                return run
        return None

    async def candidates(self, device: DeviceId) -> Sequence[Enrolment]:
        return [
            run
            for run in self._rows.enrolments.values()
            if run.device == device and run.state is State.AWAITING_DECISION
        ]

    async def put(self, enrolment: Enrolment) -> None:
        if enrolment.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(enrolment.device))
        same = await self.with_key(enrolment.device, enrolment.key_hash)
        if same and same.id != enrolment.id:
            raise HomeportError(Code.ALREADY_EXISTS, "a run for this key")
        self._rows.enrolments[enrolment.id] = keepable(enrolment)


class FakeCredentials:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, fingerprint: str) -> Credential | None:
        return self._rows.credentials.get(fingerprint)

    async def of_device(self, device: DeviceId) -> Sequence[Credential]:
        return [c for c in self._rows.credentials.values() if c.device == device]

    async def of_key(self, key_hash: str) -> Sequence[Credential]:
        return [c for c in self._rows.credentials.values() if c.key_hash == key_hash]

    async def revoked(self, now: datetime) -> Sequence[Credential]:
        found = [
            credential
            for credential in self._rows.credentials.values()
            if credential.state is CredentialState.REVOKED and credential.not_after > now
        ]
        return sorted(found, key=lambda credential: credential.not_after)

    async def put(self, credential: Credential) -> None:
        rows = self._rows
        if credential.device not in rows.devices or credential.enrolment not in rows.enrolments:
            raise HomeportError(Code.NOT_FOUND, "a row names something that is not there")
        known = rows.credentials.get(credential.fingerprint)
        if known:
            credential = replace(known, state=credential.state, revoked_at=credential.revoked_at)
        rows.credentials[credential.fingerprint] = keepable(credential)


class FakeVouchers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.vouchers

    async def get(self, device: DeviceId, upstream: str) -> StoredVoucher | None:
        found = [v for v in self._rows.values() if (v.device, v.upstream) == (device, upstream)]
        return max(found, key=lambda voucher: voucher.epoch, default=None)

    async def put(self, voucher: StoredVoucher) -> None:
        self._rows[voucher.device, voucher.upstream, voucher.epoch] = voucher


class FakePresenceBoard:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.presence

    async def get(self, device: DeviceId) -> Presence | None:
        return self._rows.get(device)

    async def put(self, device: DeviceId, presence: Presence) -> None:
        self._rows[device] = presence

    async def online(
        self, *, before: datetime, after: DeviceId | None, limit: int
    ) -> Sequence[DeviceId]:
        found = [d for d, seen in self._rows.items() if seen.online and seen.since < before]
        return sorted(d for d in found if after is None or str(d) > str(after))[:limit]
