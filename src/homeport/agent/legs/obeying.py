# SPDX-License-Identifier: Apache-2.0
"""Commands of the platform: renew, rekey, reset (docs/protocols/mqtt.md, section 5).

A command is believed if the platform that issued the certificate in use signed it for this
certificate. What was taken up is written down before anything is done, and the answer is sent when
it is done; a reset is answered before, because there is nobody to answer for afterwards.
"""

import asyncio
import hashlib
import logging
from typing import Final

from homeport.agent.journey import Event
from homeport.agent.legs.operating import Operating
from homeport.agent.memory.records import Credential, Taken
from homeport.agent.tools import Tools
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.commands import Command, Result, encode
from homeport.protocols.mqtt.device import Commander, read_signed_command
from homeport.protocols.mqtt.wire import DeviceTopics
from homeport.protocols.native.device import PlatformTrust

logger = logging.getLogger(__name__)

RENEW: Final = "renew"
REKEY: Final = "rekey"
RESET: Final = "reset"


class Obeying:
    """Hears commands, and says what came of them."""

    def __init__(self, tools: Tools, operating: Operating) -> None:
        """Take the tools, and the connection that commands come through."""
        self._tools = tools
        self._operating = operating
        self._heard: asyncio.Queue[Command] = asyncio.Queue(1)
        operating.on_command = self._hear

    async def next(self) -> Command:
        """Wait for a command that counts."""
        return await self._heard.get()

    async def take(self, command: Command) -> None:
        """Begin to obey; the journey goes on. Raise UPSTREAM_UNREACHABLE: then it comes again."""
        logbook = self._tools.logbook
        taken = logbook.saved.command
        if command.id == logbook.saved.answered or (taken and command.id == taken.id):
            return  # Said again when we came back, before our answer was heard.
        logger.info("the platform says: %s", command.order)
        if command.order in {RENEW, REKEY}:
            taken = Taken(id=command.id, order=command.order, credential=command.credential)
            logbook.step(Event.RENEWAL_DUE, command=taken)
        elif command.order == RESET:
            await self._say(Result(command=command.id, result="obeyed"))
            logbook.step(Event.RESET_ASKED)
        else:
            await self._end(_refusal(command.id, Code.COMMAND_UNKNOWN))

    async def report(self) -> None:
        """Say that the command that was taken up is done, if it is."""
        saved = self._tools.logbook.saved
        if saved.command is None or saved.credential is None:
            return
        if _fingerprint(saved.credential) != saved.command.credential:
            await self._end(Result(command=saved.command.id, result="obeyed"))

    async def refuse(self, code: Code) -> None:
        """Say that the command that was taken up will not be done."""
        command = self._tools.logbook.saved.command
        if command is not None:
            await self._end(_refusal(command.id, code))

    async def _end(self, result: Result) -> None:
        try:
            await self._say(result)
        except HomeportError as error:
            logger.info("the platform does not know yet what came of its command: %s", error)
        else:
            self._tools.logbook.note(command=None, answered=result.command)

    async def _say(self, result: Result) -> None:
        link = self._operating.link
        if link is None:
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "not connected")
        topic = DeviceTopics(link.credential.topics).result
        await link.uplink.publish(topic, encode(result))

    def _hear(self, credential: Credential, payload: bytes) -> None:
        timekeeper, platform = self._tools.timekeeper, credential.platform
        try:
            trust = PlatformTrust.of(platform.name, platform.anchors)
            command = read_signed_command(
                payload,
                Commander(
                    name=trust.name,
                    anchors=trust.anchors,
                    device=credential.device,
                    credential=_fingerprint(credential),
                    now=timekeeper.trusted_now(),
                    floor=timekeeper.floor,
                ),
            )
        except HomeportError as error:
            logger.warning("a command was passed over: %s", error)
            return
        if not self._heard.empty():
            self._heard.get_nowait()  # The platform asks one thing at a time: the later counts.
        self._heard.put_nowait(command)


def _refusal(command: str, code: Code) -> Result:
    return Result(command=command, result="refused", code=code)


def _fingerprint(credential: Credential) -> str:
    return hashlib.sha256(credential.certificate[0]).hexdigest()
