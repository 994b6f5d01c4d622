# SPDX-License-Identifier: Apache-2.0
"""The agent: looks at the state on disk, does what that state asks for, and looks again."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeport.agent.backoff import Backoff
from homeport.agent.discovery.services import Announcement, announcing
from homeport.agent.journey import Event, State
from homeport.agent.legs.enrolling import DEAD_KEY, Enrolling, is_for_people
from homeport.agent.legs.forgetting import delete_retired, forget, keys_in
from homeport.agent.legs.obeying import Obeying
from homeport.agent.legs.operating import Operating
from homeport.agent.legs.renewing import Renewing
from homeport.agent.legs.twinning import Twinning
from homeport.agent.memory.diary import Status
from homeport.agent.memory.records import Credential
from homeport.agent.memory.twin import Twin
from homeport.agent.tools import Tools
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.commands import Command

logger = logging.getLogger(__name__)

STEADY: Final = timedelta(minutes=1)
"""A connection that lasts this long was a good one; a shorter one makes the next wait longer."""
RENEWAL_SPREAD: Final = 0.1
"""Share of the time left after `renew_at` over which devices enrolled together spread out."""
LONGEST_SLEEP: Final = timedelta(minutes=10)
"""The wall clock is looked at again this often: it may be set, and machines are suspended."""
ANNOUNCE_FROM: Final = timedelta(seconds=3)
"""Announcing for less is over before anybody has looked."""
UNREACHABLE_MAX: Final = 8
"""Failed connections in a row after which the platform is asked whether the broker moved."""

ASK_WHY: Final = frozenset({Code.UPSTREAM_REFUSED, Code.PLATFORM_UNPROVEN, Code.KEY_MISSING})
"""Failures that a renewal may mend: with a new certificate, new anchors or another address."""


class _ResetAskedError(Exception):
    """Ends the present leg."""


class Agent:
    """Travels from state to state. The service behind the local door."""

    def __init__(
        self,
        tools: Tools,
        operating: Operating,
        twinning: Twinning,
        load_library: Callable[[], None],
    ) -> None:
        """Take the tools, the connection to the upstream and what loads its library, the twin."""
        self._tools = tools
        self._logbook = tools.logbook
        self._operating = operating
        self._twinning = twinning
        self._enrolling = Enrolling(tools, load_library)
        self._renewing = Renewing(tools)
        self._obeying = Obeying(tools, operating)
        rest = tools.settings.rest
        self._rest = Backoff(rest.first, rest.ceiling)
        self._refused_rest = Backoff(rest.refused, rest.refused)
        self._reset_asked = asyncio.Event()
        self._renew_not_before = 0.0
        self._is_refused = False
        self._unreachable = 0

    async def travel(self) -> None:
        """Go on from where the disk says, until cancelled. Raise STORAGE_UNAVAILABLE."""
        self._tools.timekeeper.learn(self._tools.timekeeper.floor)
        self._logbook.step(Event.STARTED)
        self._tools.keys.sweep(keys_in(self._logbook.saved))
        try:
            while True:
                await self._leg_or_reset()
        finally:
            await self._operating.close()

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send a program's message; return when the broker has it."""
        await self._operating.publish(channel, payload)

    def twin(self) -> Twin:
        """Return what the device was told and what its programs reported."""
        return self._twinning.twin

    def report(self, patch: dict[str, Any], applied: int | None) -> None:
        """Keep what a program says of the device; it is said when there is a connection."""
        self._twinning.report(patch, applied)

    def status(self) -> Status:
        """Say what is happening."""
        return self._tools.diary.status

    def reset(self) -> None:
        """Begin to forget the owner; what runs is broken off."""
        self._logbook.step(Event.RESET_ASKED)
        self._reset_asked.set()

    async def _leg_or_reset(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch_for_reset(), name="reset")
                await self._leg()
                watching.cancel()
        except* _ResetAskedError:
            logger.warning("reset: the owner and everything from it is being forgotten")

    async def _watch_for_reset(self) -> None:
        await self._reset_asked.wait()
        self._reset_asked.clear()
        raise _ResetAskedError

    async def _leg(self) -> None:
        await delete_retired(self._logbook, self._tools.keys)
        match self._logbook.saved.journey:
            case State.UNPROVISIONED:
                self._logbook.step(Event.STARTED)
            case State.DISCOVERING | State.ENROLLING | State.PARKED | State.REFUSED | State.REVOKED:
                await self._enrol()
            case State.CONNECTING:
                await self._connect()
            case State.OPERATIONAL:
                await self._operate()
            case State.RENEWING:
                await self._renew()
            case State.RESETTING:
                await self._operating.close()
                self._twinning.forget()
                await forget(self._logbook, self._tools.keys)
                self._tools.timekeeper.forget(self._logbook.lifetime.signed_time)
                self._rest.reset()

    async def _enrol(self) -> None:
        await self._operating.close()
        error = await self._enrolling.round()
        if error is None:
            self._rest.reset()
            return
        if error.code in DEAD_KEY and self._logbook.saved.request is None:
            return  # The key was dropped; a new one is asked for at once.
        wait = self._wait_after(error)
        async with AsyncExitStack() as stack:
            if self._may_announce(wait):
                await self._announce(stack)
            await self._pause(wait)

    async def _connect(self) -> None:
        newest = self._logbook.saved.credential
        link = self._operating.link
        if link is not None and link.credential == newest:
            self._logbook.step(Event.BROKER_ACCEPTED)
            return
        if newest is None or self._has_expired(newest):
            self._logbook.step(Event.RENEWAL_DUE)
            return
        self._report_clock()
        error = await self._connect_with(newest)
        if error is not None and error.code in ASK_WHY and (earlier := self._logbook.saved.earlier):
            error = await self._connect_with(earlier)
        if error is not None:
            await self._not_connected(error)

    async def _connect_with(self, credential: Credential) -> HomeportError | None:
        try:
            await self._operating.connect(credential)
        except HomeportError as error:
            return error
        saved = self._logbook.saved
        changes: dict[str, object] = {}
        if credential == saved.credential and saved.earlier is not None:
            # The broker has seen the new one; the old one has served.
            keys = () if saved.earlier.key == credential.key else (saved.earlier.key,)
            changes = {"earlier": None, "retired": (*saved.retired, *keys)}
        self._logbook.step(Event.BROKER_ACCEPTED, **changes)
        self._tools.diary.worked()
        self._is_refused = False
        self._unreachable = 0
        return None

    async def _not_connected(self, error: HomeportError) -> None:
        self._unreachable += 1
        is_asked = error.code in ASK_WHY
        if (is_asked and not self._is_refused) or self._unreachable >= UNREACHABLE_MAX:
            self._is_refused = is_asked
            self._unreachable = 0
            self._logbook.step(Event.BROKER_REFUSED)
            return
        # With a certificate fresh from the platform and refused again, only people can help.
        self._is_refused = False
        await self._pause(self._refused_rest.longest() if is_asked else self._rest.next())

    async def _operate(self) -> None:
        began = self._tools.clock.monotonic()
        await self._obeying.report()
        async with asyncio.TaskGroup() as group:
            lost = group.create_task(self._operating.watch(), name="connection")
            due = group.create_task(self._until_renewal(), name="renewal")
            asked = group.create_task(self._obeying.next(), name="command")
            saying = group.create_task(self._say_reports(), name="reports")
            await asyncio.wait({lost, due, asked}, return_when=asyncio.FIRST_COMPLETED)
            for task in (lost, due, asked, saying):
                task.cancel()
        if not asked.cancelled():
            await self._obey(asked.result())
            return
        if lost.cancelled():
            self._logbook.step(Event.RENEWAL_DUE)
            return
        logger.warning("the connection was lost: %s", lost.result())
        self._logbook.step(Event.BROKER_LOST)
        if self._tools.clock.monotonic() - began > STEADY.total_seconds():
            self._rest.reset()
        await self._pause(self._rest.next())

    async def _say_reports(self) -> None:
        link = self._operating.link
        if link is not None and not link.is_held:
            await self._twinning.say(link.uplink, link.credential)

    async def _obey(self, command: Command) -> None:
        try:
            await self._obeying.take(command)
        except HomeportError as error:
            if error.code is not Code.UPSTREAM_UNREACHABLE:
                raise
            logger.warning("the command waits: %s", error)

    async def _until_renewal(self) -> None:
        credential = self._logbook.saved.credential
        if credential is None:
            return
        spread = random.uniform(0, RENEWAL_SPREAD)  # noqa: S311  (not a secret)
        due = credential.renew_at + spread * max(credential.not_after - credential.renew_at, 0)
        if self._logbook.saved.command is not None:
            due = 0  # The platform wants it now.
        clock = self._tools.clock
        while True:
            left = max(due - clock.now().timestamp(), self._renew_not_before - clock.monotonic())
            if left <= 0:
                return
            await clock.sleep(min(timedelta(seconds=left), LONGEST_SLEEP))

    async def _renew(self) -> None:
        credential = self._logbook.saved.credential
        is_needed = self._is_refused or (credential is not None and self._has_expired(credential))
        error = await self._renewing.attempt(is_needed=is_needed)
        if error is None:
            self._rest.reset()
            return
        if self._logbook.saved.journey is not State.CONNECTING:
            return  # Revoked, or back to the IDevID: asked there at once.
        if is_for_people(error):
            await self._obeying.refuse(error.code)
        self._is_refused = False  # Nobody has said why yet.
        wait = self._wait_after(error)
        self._renew_not_before = self._tools.clock.monotonic() + wait.total_seconds()
        if self._operating.link is None:
            await self._pause(wait)

    def _has_expired(self, credential: Credential) -> bool:
        now = self._tools.timekeeper.trusted_now()
        return now is not None and now >= datetime.fromtimestamp(credential.not_after, UTC)

    def _report_clock(self) -> None:
        problem = self._tools.timekeeper.problem
        self._tools.diary.update(clock_problem=problem)
        if problem:
            self._tools.diary.failed("clock", HomeportError(Code.CLOCK_WRONG, problem))

    def _wait_after(self, error: HomeportError) -> timedelta:
        wait = self._refused_rest.longest() if is_for_people(error) else self._rest.next()
        return max(wait, error.retry_after or wait)

    async def _pause(self, wait: timedelta) -> None:
        self._tools.diary.resting(wait)
        await self._tools.clock.sleep(wait)
        self._tools.diary.update(next_attempt=0)

    def _may_announce(self, wait: timedelta) -> bool:
        return (
            self._tools.settings.discovery.announce
            and self._logbook.saved.journey is State.DISCOVERING
            and wait >= ANNOUNCE_FROM
            and bool(self._tools.platforms.usable_interfaces())
        )

    async def _announce(self, stack: AsyncExitStack) -> None:
        """Tell edges and tools on the LAN, until the stack closes, that we wait to be chosen."""
        device = self._tools.identity.device
        unverified = tuple(self._enrolling.unverified)
        announcement = Announcement(device.model, device.serial_number, unverified)
        try:
            await stack.enter_async_context(announcing(announcement))
        except OSError as error:
            logger.warning("DNS-SD: cannot announce: %s", error)
