# SPDX-License-Identifier: Apache-2.0
"""The broker's question "may this connection in, and to what?", answered on every connect.

Rules (product decision 6): MQTT only; an operational certificate whose key was used; the registry
admits its fingerprint for exactly this MQTT client id (a neighbour with a foreign id would evict
that device and suppress its last will); permissions of that device and nothing else (fewer in
quarantine), in particular nothing below `$MQTT`; the permission ends with the certificate. Whatever
goes wrong is a refusal, its reason in our log and the broker's, none for the device.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Protocol

from homeport.broker import jwt
from homeport.broker.access import BrokerAccess
from homeport.broker.jwt import AuthRequest, Grant
from homeport.broker.login import shown_certificate
from homeport.broker.nkey import SigningKey
from homeport.clock import Clock
from homeport.domain.topics import device_permissions
from homeport.errors import HomeportError, Kind
from homeport.provisioning.admit import Admission

log: Final = logging.getLogger(__name__)

SUBJECT: Final = "$SYS.REQ.USER.AUTH"
QUEUE: Final = "homeport"
"""Servers of one platform share the questions."""

ANSWER_SECONDS: Final = 3.0
"""The registry answers in milliseconds; later than this the device has better tried again."""
AT_ONCE: Final = 256
"""Questions worked on at once; more wait in the subscription's bounded queue."""

Admit = Callable[[str, str], Awaitable[Admission]]
"""(fingerprint in hex, MQTT client id) -> Admission; raises HomeportError to refuse."""


class Question(Protocol):
    """A message that can be answered."""

    @property
    def data(self) -> bytes:
        """The token."""
        ...

    async def respond(self, data: bytes) -> None:
        """Send the answer."""
        ...


class Callout:
    """Answers the broker's questions."""

    def __init__(
        self, access: BrokerAccess, admit: Admit, urls: Collection[str], clock: Clock
    ) -> None:
        """Take the key that the broker believes, the registry's verdict, our WebSockets' URLs."""
        self._issuer = SigningKey(access.issuer)
        self._account = access.account
        self._admit = admit
        self._urls = frozenset(urls)
        self._clock = clock
        self._free = asyncio.Semaphore(AT_ONCE)
        self.admitted = 0
        self.refused = 0
        """Counters, for metrics."""

    async def answer(self, question: Question) -> None:
        """Answer one; never raises but for cancellation."""
        async with self._free:
            try:
                request = jwt.read_request(question.data, self._clock.now())
            except HomeportError as error:
                # There is nobody to answer; the server refuses by itself.
                self.refused += 1
                log.warning("broker: unreadable question: %s", error)
                return
            try:
                await question.respond(await self._verdict(request))
            except Exception:
                log.exception("broker: the answer could not be sent")

    async def _verdict(self, request: AuthRequest) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._permit(request)
        except HomeportError as error:
            level = logging.INFO if error.kind in (Kind.REFUSED, Kind.UNPROVEN) else logging.WARNING
            return self._denial(request, error.code, str(error), level)
        except TimeoutError:
            return self._denial(request, "timeout", "the registry is too slow", logging.ERROR)
        except Exception:
            log.exception("broker: a question failed")
            return self._denial(request, "failure", "our fault, see the line before", logging.ERROR)
        self.admitted += 1
        return answer

    async def _permit(self, request: AuthRequest) -> bytes:
        shown = shown_certificate(request, self._urls, self._clock.now())
        admission = await self._admit(shown, request.mqtt_id)
        grant = Grant(
            account=self._account,
            name=str(admission.device),
            permissions=device_permissions(
                admission.tenant, admission.device, is_held=admission.is_held
            ),
            expires=admission.not_after,
        )
        log.info("broker: admitted", extra={"device": grant.name, "peer": request.host})
        return jwt.write_admission(self._issuer, request, grant, self._clock.now())

    def _denial(self, request: AuthRequest, code: str, reason: str, level: int) -> bytes:
        self.refused += 1
        log.log(
            level,
            "broker: refused %r: %s",
            request.mqtt_id[:100],
            reason,
            extra={"code": code, "peer": request.host},
        )
        return jwt.write_denial(self._issuer, request, code, self._clock.now())
