# SPDX-License-Identifier: Apache-2.0
"""Run one exchange over a link, from the first frame to the last.

What is to be decided is asked of the caller by two functions: what a device does with a
configuration, and what an installer gives to a device. Waiting has limits; an exchange that fails
tells the other side where the protocol has a message for it, and raises.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.carriers.link import FRAME_TIMEOUT, Link
from homeport.protocols.dpp.configuration.objects import (
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
)
from homeport.protocols.dpp.exchange.authenticated import (
    Accepted,
    Asked,
    Authenticated,
    Configured,
    DppError,
    Joined,
    MoreNeeded,
    Postponed,
    Step,
)
from homeport.protocols.dpp.exchange.configurator import Configurator, check_units
from homeport.protocols.dpp.exchange.enrollee import TIME_UNIT, Enrollee
from homeport.protocols.dpp.exchange.states import State
from homeport.protocols.dpp.wire.vocabulary import Status

JOINING_TIMEOUT: Final = 60.0
"""Seconds from the configuration's result to the connection's status: a scan, a join, DHCP."""
POSTPONED_MAX: Final = 60.0
"""Seconds that a device waits before it comes back, whatever it was told (65,535 units are 67)."""
EXCHANGE_TIMEOUT: Final = 600.0
"""Seconds for all up to the configuration's result, however often it was postponed."""

Again = Callable[[tuple[ConfigurationObject, ...]], Awaitable[ConfigurationRequest]]
"""What a device asks when more is needed than it said; it may raise to give up."""


@dataclass(frozen=True, slots=True)
class Given:
    """An installer's answer: a configuration."""

    objects: Sequence[ConfigurationObject]
    is_status_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Needed:
    """An installer's answer: ask again, with what these say is missing."""

    objects: Sequence[ConfigurationObject]


@dataclass(frozen=True, slots=True)
class Later:
    """An installer's answer: come back after some time units of 1.024 ms, a minute at most."""

    units: int

    def __post_init__(self) -> None:
        """Refuse what is no delay, or too long a one (DPP_MALFORMED)."""
        check_units(self.units)


@dataclass(frozen=True, slots=True)
class Refused:
    """An installer's answer: no."""

    status: Status = Status.CONFIGURE_FAILURE


Answer = Given | Needed | Later | Refused
Answerer = Callable[[Asked], Awaitable[Answer]]


async def run_enrollee(
    link: Link, enrollee: Enrollee, request: ConfigurationRequest, again: Again | None = None
) -> Configured:
    """Run a device's exchange up to its configuration; raise whatever ends it before.

    The caller looks at the configuration and then sends `accept()` or `reject()`, and `report()`
    when joining is over.
    """
    async with _limited():
        return await _enrol(link, enrollee, request, again)


async def _enrol(
    link: Link, enrollee: Enrollee, request: ConfigurationRequest, again: Again | None
) -> Configured:
    step = enrollee.start()
    while not isinstance(step.event, Configured):
        await send(link, step)
        match step.event:
            case Authenticated():
                step = enrollee.ask(request)
            case MoreNeeded(objects):
                if again is None:
                    raise HomeportError(Code.DPP_REFUSED, "more is needed than there is")
                step = enrollee.ask(await again(objects))
            case Postponed(seconds):
                await asyncio.sleep(min(seconds, POSTPONED_MAX))
                step = enrollee.come_back()
            case _:
                step = await _receive(link, enrollee, FRAME_TIMEOUT)
    return step.event


async def run_configurator(
    link: Link, configurator: Configurator, answerer: Answerer
) -> ConnectionStatus | None:
    """Run an installer's exchange to its end.

    Return how joining went; None if that was not asked for, or if nothing of it could be heard:
    Bluetooth and Wi-Fi share an antenna on many boards. The configuration was taken in any case.
    Raise whatever ends the exchange before.
    """
    async with _limited():
        await _configure(link, configurator, answerer)
    if configurator.state is not State.JOINING:
        return None
    try:
        step = await _receive(link, configurator, JOINING_TIMEOUT)
    except HomeportError:
        return None
    return step.event.status if isinstance(step.event, Joined) else None


async def _configure(link: Link, configurator: Configurator, answerer: Answerer) -> None:
    """Run an installer's exchange up to the device's word that it took the configuration."""
    step, delay = configurator.start(), 0.0
    while True:
        await send(link, step)
        match step.event:
            case Asked() as asked:
                answer = await answerer(asked)
                step = _give(configurator, answer)
                delay = answer.units * TIME_UNIT if isinstance(answer, Later) else 0.0
            case Accepted():
                return
            case _ if configurator.state is State.FAILED:
                raise HomeportError(Code.DPP_REFUSED, "the device was given no configuration")
            case _:
                step = await _receive(link, configurator, delay + FRAME_TIMEOUT)


@asynccontextmanager
async def _limited() -> AsyncIterator[None]:
    """Give the block its time; raise DPP_LINK_LOST when it is over."""
    timer = asyncio.timeout(EXCHANGE_TIMEOUT)
    try:
        async with timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        reason = f"the exchange was not over after {EXCHANGE_TIMEOUT:.0f} s"
        raise HomeportError(Code.DPP_LINK_LOST, reason) from None


async def send(link: Link, step: Step) -> None:
    """Send what a step has to send."""
    if step.frame is not None:
        await link.send(step.octets)


def _give(configurator: Configurator, answer: Answer) -> Step:
    match answer:
        case Given(objects, is_status_wanted):
            return configurator.answer(objects, is_status_wanted=is_status_wanted)
        case Needed(objects):
            return configurator.need(*objects)
        case Later(units):
            return configurator.postpone(units)
        case Refused(status):
            return configurator.refuse(status)


async def _receive(link: Link, side: Enrollee | Configurator, timeout: float) -> Step:  # noqa: ASYNC109
    """Give the next frame to our side; if it fails there, say so to the other side."""
    frame = await link.receive(timeout)
    try:
        step = side.receive(frame)
    except DppError as error:
        with suppress(HomeportError):
            await link.send(error.farewell)
        raise
    if isinstance(step.event, Authenticated):
        link.mark_authenticated()
    return step
