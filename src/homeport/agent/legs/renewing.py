# SPDX-License-Identifier: Apache-2.0
"""Renewal: the present LDevID asks for the next one, by default with a new key (rekey).

The present one keeps working until the broker has seen the next. An expired LDevID may ask too
(protocol section 5). What a platform refuses matters only if the device cannot go on without it.
"""

import logging

from homeport.agent.journey import Event
from homeport.agent.legs.enrolling import ELSEWHERE, REVOKED
from homeport.agent.legs.grant import accept_certificate
from homeport.agent.legs.obeying import REKEY
from homeport.agent.legs.visiting import visiting
from homeport.agent.memory.key_ring import new_request_id
from homeport.agent.memory.records import Credential, KeyRequested, Told
from homeport.agent.platforms import Approach, approach_to
from homeport.agent.threads import to_its_end
from homeport.agent.tools import AGENT, Tools
from homeport.errors import Code, HomeportError, Kind, MalformedError
from homeport.keys import PrivateKey
from homeport.pki.requests import build_request
from homeport.protocols.native.device import (
    KeyRequest,
    PlatformRefusalError,
    PlatformTrust,
    SignedRequest,
    Signer,
    build_renew_request,
)
from homeport.protocols.native.wire import Enrolled, Greeting

logger = logging.getLogger(__name__)

LOCKED_OUT = REVOKED | {Code.KEY_REVOKED}
"""What says that this credential is dead."""


class Renewing:
    """Asks for the next certificate with the present one."""

    def __init__(self, tools: Tools) -> None:
        """Take the tools."""
        self._tools = tools
        self._logbook = tools.logbook

    async def attempt(self, *, is_needed: bool) -> HomeportError | None:
        """Try every address once; the journey goes on. Return why there is no new certificate.

        `is_needed`: the present one does not work any more; then a refusal sends the device back
        to its IDevID.
        """
        credential = self._logbook.saved.credential
        if credential is None:
            raise HomeportError(Code.TRANSITION_ILLEGAL, "nothing to renew")
        request = self._request(credential)
        try:
            present = await to_its_end(self._open, credential)
            asked = await to_its_end(self._make, request)
        except HomeportError as failure:
            self._tools.diary.failed("operational key", failure)
            return self._ended(failure, is_needed=is_needed)
        last = approach_to(credential.platform, "last")
        trust = PlatformTrust.of(credential.platform.name, credential.platform.anchors)
        is_home = credential.platform.is_home
        error = HomeportError(Code.PLATFORM_UNREACHABLE, "no address led to the platform")
        async with self._tools.platforms.approaches([last], trust, is_home=is_home) as approaches:
            async for approach in approaches:
                try:
                    await self._try(approach, present, request, asked)
                except HomeportError as failure:
                    self._tools.diary.failed(str(approach), failure)
                    if isinstance(failure, PlatformRefusalError) and failure.kind not in ELSEWHERE:
                        error = failure
                        break
                else:
                    self._tools.diary.worked()
                    return None
        return self._ended(error, is_needed=is_needed)

    def _request(self, credential: Credential) -> KeyRequested:
        saved = self._logbook.saved
        is_rekey = self._tools.settings.rekey
        if saved.command is not None:
            is_rekey = saved.command.order == REKEY
        if saved.request is not None and saved.request.is_renewal:
            is_new = saved.request.key != credential.key
            if saved.command is None or is_new == is_rekey:
                return saved.request
        name = new_request_id()
        uri = self._tools.keys.uri_for(name) if is_rekey else credential.key
        request = KeyRequested(request_id=name, key=uri, is_renewal=True)
        self._logbook.note(request=request, retired=(*saved.retired, *self._dropped_key()))
        return request

    def _open(self, credential: Credential) -> Signer:
        return Signer(self._tools.keys.open(credential.key), credential.certificate)

    def _make(self, request: KeyRequested) -> tuple[PrivateKey, bytes]:
        key = self._tools.keys.open_or_make(request.key)
        return key, build_request(key, self._tools.identity.device.serial_number)

    async def _try(
        self,
        approach: Approach,
        present: Signer,
        request: KeyRequested,
        asked: tuple[PrivateKey, bytes],
    ) -> None:
        key, csr = asked
        key_request = KeyRequest(
            request_id=request.request_id,
            csr=csr,
            epoch=self._logbook.lifetime.epoch,
            agent=AGENT,
        )

        def sign(greeting: Greeting, nonce: str) -> SignedRequest:
            return build_renew_request(present, key_request, url=greeting.renew, nonce=nonce)

        tools = self._tools
        async with visiting(approach, tools.platforms, tools.timekeeper, tools.logbook) as visit:
            answer = await visit.ask(visit.greeting.renew, sign)
        if not isinstance(answer, Enrolled):
            raise MalformedError("a renewal was answered with something else than a certificate")
        accept_certificate(answer, self._logbook, approach, request, key.public_key())

    def _ended(self, error: HomeportError, *, is_needed: bool) -> HomeportError:
        saved = self._logbook.saved
        is_refusal = isinstance(error, PlatformRefusalError) and error.kind is not Kind.THROTTLED
        is_lost = error.code is Code.KEY_MISSING
        if not (is_refusal and error.kind not in ELSEWHERE) and not is_lost:
            self._logbook.step(Event.RENEWAL_POSTPONED)
            return error
        told = Told(code=error.code, title=error.title, advice=error.advice, at=self._logbook.now())
        dropped = self._dropped_key()
        changes: dict[str, object] = {
            "told": told, "request": None, "retired": (*saved.retired, *dropped)
        }  # fmt: skip
        if error.code in LOCKED_OUT:
            self._logbook.step(Event.CREDENTIAL_REVOKED, **changes)
        elif is_needed or is_lost:
            logger.warning("the LDevID cannot be renewed: back to the IDevID")
            self._logbook.step(Event.RENEWAL_REFUSED, **changes)
        else:
            self._logbook.step(Event.RENEWAL_POSTPONED)
        return error

    def _dropped_key(self) -> tuple[str, ...]:
        saved = self._logbook.saved
        present = saved.credential.key if saved.credential else ""
        return (saved.request.key,) if saved.request and saved.request.key != present else ()
