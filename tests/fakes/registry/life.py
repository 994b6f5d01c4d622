# SPDX-License-Identifier: Apache-2.0
"""Commands and quarantine in memory."""

from collections.abc import Sequence
from datetime import datetime

from fakes.registry.rows import Rows, keepable
from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command, CommandState
from homeport.domain.life.quarantine import Quarantine
from homeport.errors import Code, HomeportError


class FakeCommands:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def _unanswered(self) -> list[Command]:
        found = [c for c in self._rows.commands.values() if c.state is CommandState.ASKED]
        return sorted(found, key=lambda command: str(command.device))

    async def get(self, command: str) -> Command | None:
        return self._rows.commands.get(command)

    async def asked(self, device: DeviceId) -> Command | None:
        return next((c for c in self._unanswered() if c.device == device), None)

    async def of_device(self, device: DeviceId, *, limit: int) -> Sequence[Command]:
        found = [c for c in self._rows.commands.values() if c.device == device]
        return found[::-1][:limit]

    async def unanswered(self, *, after: DeviceId | None, limit: int) -> Sequence[Command]:
        beyond = str(after) if after else ""
        return [c for c in self._unanswered() if str(c.device) > beyond][:limit]

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Command]:
        return [c for c in self._unanswered() if c.expires_at <= now][:limit]

    async def put(self, command: Command) -> None:
        if command.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(command.device))
        asked = await self.asked(command.device)
        if command.state is CommandState.ASKED and asked and asked.id != command.id:
            raise HomeportError(Code.ALREADY_EXISTS, "a command without an answer")
        self._rows.commands[command.id] = keepable(command)


class FakeQuarantines:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, device: DeviceId) -> Quarantine | None:
        found = self._rows.quarantines.get(device)
        return found if found and found.released_at is None else None

    async def put(self, quarantine: Quarantine) -> None:
        if quarantine.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(quarantine.device))
        self._rows.quarantines[quarantine.device] = keepable(quarantine)

    async def to_enforce(self, released_after: datetime) -> Sequence[DeviceId]:
        found = [
            each.device
            for each in self._rows.quarantines.values()
            if each.released_at is None or each.released_at > released_after
        ]
        return sorted(found, key=str)
