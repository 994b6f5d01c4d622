# SPDX-License-Identifier: Apache-2.0
"""The twin at work: hear what the device is told, say what its programs report.

What is told is kept before programs hear of it. What programs report is kept before they get their
answer, and said when there is a connection: all of it first, then what has changed, gathered for a
moment. Each connection is a series of its own, so nothing needs to be remembered of what was said.
docs/protocols/mqtt.md, section 7
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from homeport.agent.memory.records import Credential
from homeport.agent.memory.twin import Twin, TwinFile
from homeport.clock import Clock
from homeport.domain.context.document import check_document, check_patch
from homeport.domain.context.merge_patch import difference, merge
from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.mqtt.device import Uplink
from homeport.protocols.mqtt.wire import DeviceTopics, Reported, encode, read_desired

logger = logging.getLogger(__name__)

GATHER: Final = timedelta(milliseconds=200)
"""What programs report within it goes in one message."""
SERIES_SIZE: Final = 8
"""Octets of chance in the name of a series."""


class Twinning:
    """The twin of this device."""

    def __init__(self, file: TwinFile, clock: Clock) -> None:
        """Take what is remembered."""
        self._file = file
        self._clock = clock
        self._has_news = asyncio.Event()
        self.show: Callable[[Twin], None] = lambda _: None
        """Who is told when something was set."""

    @property
    def twin(self) -> Twin:
        """As it is now."""
        return self._file.twin

    def hear(self, credential: Credential, payload: bytes) -> None:
        """Take what the device is told, if it is newer."""
        try:
            told = read_desired(payload)
            self._file.belong_to(credential)
            if told.version <= self.twin.version:
                return
            news = {"version": told.version, "context": told.context, "desired": told.desired}
            self._file.keep(replace(self.twin, **news))
        except MalformedError as error:
            logger.warning("settings were passed over: %s", error)
        except HomeportError as error:
            # They come again with the next connection.
            logger.error("settings cannot be kept: %s", error)  # noqa: TRY400 - the disk's fault
        else:
            logger.info("settings: version %d", told.version)
            self.show(self.twin)

    def report(self, patch: dict[str, Any], applied: int | None) -> None:
        """Keep what a program says; when this returns it will be said, also after a power cut.

        Raise MalformedError for what makes no document, or a version that was never told.
        """
        twin = self.twin
        reported = check_document(merge(twin.reported, check_patch(patch, "reported")), "reported")
        if applied is not None and applied > twin.version:
            raise MalformedError(f"version {applied} is not known; the newest is {twin.version}")
        changes = {"applied": twin.applied if applied is None else applied}
        self._file.keep(replace(twin, reported=dict(reported), **changes))
        self._has_news.set()

    def forget(self) -> None:
        """Forget an owner's things."""
        self._file.forget()

    async def say(self, uplink: Uplink, credential: Credential) -> None:
        """Say what was reported, until cancelled or the connection is lost."""
        self._file.belong_to(credential)
        topic = DeviceTopics(credential.topics).reported
        series = secrets.token_hex(SERIES_SIZE)
        counter, said = 0, Twin()
        while True:
            self._has_news.clear()
            twin = self.twin
            message = _message(twin, said, series, counter + 1)
            if message is not None:
                try:
                    await uplink.publish(topic, encode(message))
                except HomeportError as error:
                    if error.code is not Code.UPSTREAM_UNREACHABLE:
                        raise
                    return  # all of it is said again through the next connection
                counter, said = counter + 1, twin
            await self._has_news.wait()
            await self._clock.sleep(GATHER)


def _message(twin: Twin, said: Twin, series: str, counter: int) -> Reported | None:
    """Return what is to be said now; the first message of a series is the whole document."""
    applied = twin.applied or None
    if counter == 1:
        if not twin.reported and not applied:
            return None
        return Reported(series=series, counter=counter, document=twin.reported, applied=applied)
    patch = difference(said.reported, twin.reported)
    if not patch and twin.applied == said.applied:
        return None
    return Reported(series=series, counter=counter, patch=patch, applied=applied)
