# SPDX-License-Identifier: Apache-2.0
"""Commands and quarantine in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime

from fakes.registry.rows import Rows, keepable
from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command, CommandState
from homeport.domain.life.offer import Offer, OfferState
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.life.replacement import Replacement
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


class FakeOffers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def _open(self) -> list[Offer]:
        return [each for each in self._rows.offers.values() if each.state is OfferState.OPEN]

    async def get(self, offer: str) -> Offer | None:
        return self._rows.offers.get(offer)

    async def open_of(self, device: DeviceId) -> Offer | None:
        return next((each for each in self._open() if each.device == device), None)

    async def with_code(self, code_hash: bytes) -> Offer | None:
        return next((each for each in self._open() if each.code_hash == code_hash), None)

    async def concerning(
        self, tenants: Collection[str] | None, *, after: str, limit: int
    ) -> Sequence[Offer]:
        found = [
            each
            for each in self._rows.offers.values()
            if (not after or each.id < after)
            and (tenants is None or any(each.is_party(name) for name in tenants))
        ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Offer]:
        return [each for each in self._open() if each.expires_at <= now][:limit]

    async def accepted_since(self, at: datetime) -> Sequence[Offer]:
        found = [
            each
            for each in self._rows.offers.values()
            if each.state is OfferState.ACCEPTED and each.ended_at and each.ended_at > at
        ]
        return sorted(found, key=lambda each: each.id)

    async def put(self, offer: Offer) -> None:
        rows = self._rows
        if offer.device not in rows.devices or not {offer.seller, offer.buyer} <= {
            *rows.tenants,
            None,
        }:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(offer.device))
        present = await self.open_of(offer.device)
        if offer.state is OfferState.OPEN and present and present.id != offer.id:
            raise HomeportError(Code.ALREADY_EXISTS, "an open offer")
        rows.offers[offer.id] = keepable(offer)


class FakeReplacements:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_new(self, device: DeviceId) -> Replacement | None:
        return self._rows.replacements.get(device)

    async def put(self, replacement: Replacement) -> None:
        if not {replacement.new, replacement.old} <= self._rows.devices.keys():
            raise HomeportError(Code.DEVICE_UNKNOWN, str(replacement.new))
        self._rows.replacements[replacement.new] = keepable(replacement)
