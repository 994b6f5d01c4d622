# SPDX-License-Identifier: Apache-2.0
"""Enrolment: one round over all addresses, ending with a certificate or with a rest.

The request's name and its key's place are written down before the key is made, and the key is
made before it is sent; so whatever a power cut interrupts, the same request is sent again, and
the platform gives the same certificate (protocol section 4.1).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from homeport.agent.discovery.interfaces import network_facts
from homeport.agent.journey import Event, State
from homeport.agent.legs.grant import accept_certificate, accept_redirect
from homeport.agent.legs.visiting import Visit, visiting
from homeport.agent.memory.key_ring import new_request_id
from homeport.agent.memory.records import KeyRequested, Told
from homeport.agent.platforms import Approach, approach_to
from homeport.agent.threads import to_its_end
from homeport.agent.tools import AGENT, Tools
from homeport.errors import Code, HomeportError, Kind
from homeport.keys import PrivateKey
from homeport.pki.requests import build_request
from homeport.protocols.native.device import (
    DeviceFacts,
    KeyRequest,
    PlatformRefusalError,
    SignedRequest,
    build_enrol_request,
    printable,
)
from homeport.protocols.native.wire import (
    WAIT_MAX_SECONDS,
    Enrolled,
    Greeting,
    NetworkFacts,
    Parked,
    Redirect,
)

logger = logging.getLogger(__name__)

REDIRECTS_MAX: Final = 3
"""In a row (protocol section 4.3); more is a circle."""
REST_MIN: Final = timedelta(milliseconds=200)
REST_MAX: Final = timedelta(hours=1)
"""Between long polls, whatever the platform asks for."""

HEAD_START: Final = timedelta(milliseconds=20)
"""For the first packet to a platform: Python does nothing else while it imports a library."""

REVOKED: Final = frozenset({Code.CREDENTIAL_REVOKED, Code.DEVICE_DECOMMISSIONED})
"""What the platform says to a device that is locked out."""

DEAD_KEY: Final = frozenset({Code.KEY_REVOKED, Code.EPOCH_STALE})
"""What the platform says to an operational key that it certified once and never will again."""

ELSEWHERE: Final = frozenset({Kind.UNKNOWN, Kind.UNAVAILABLE})
"""Kinds of refusal after which the next address may do better."""


@dataclass(frozen=True)
class _Asked:
    request: KeyRequested
    key: PrivateKey
    csr: bytes


_Preparing = asyncio.Task[_Asked | HomeportError]


class Enrolling:
    """Asks for a certificate with the IDevID."""

    def __init__(self, tools: Tools, load_library: Callable[[], None]) -> None:
        """Take the tools, and what loads the library that the next leg needs."""
        self._tools = tools
        self._logbook = tools.logbook
        self._load_library = load_library
        self._is_dialling = asyncio.Event()
        self._unverified: list[str] = []

    @property
    def unverified(self) -> Sequence[str]:
        """The addresses of the last round where no platform proved itself."""
        return self._unverified

    async def round(self) -> HomeportError | None:
        """Try every address once. None: there is a certificate. Else: why there is none.

        The error is the refusal of a proven platform, or PLATFORM_UNREACHABLE.
        """
        self._unverified = []
        self._is_dialling.clear()
        async with asyncio.TaskGroup() as group:
            preparing = group.create_task(self._prepare(), name="operational key")
            loading = group.create_task(self._load(), name="MQTT library")
            try:
                return await self._try_all(preparing)
            finally:
                loading.cancel()

    async def _load(self) -> None:
        """Have the MQTT library at hand when it is needed, without holding up a packet."""
        await self._is_dialling.wait()
        await self._tools.clock.sleep(HEAD_START)
        await to_its_end(self._load_library)

    async def _try_all(self, preparing: _Preparing) -> HomeportError | None:
        saved = self._logbook.saved
        known = [approach_to(saved.platform, "voucher")] if saved.platform else []
        home = self._tools.platforms.home(self._logbook.lifetime)
        async with self._tools.platforms.approaches(known, home, is_home=True) as approaches:
            async for approach in approaches:
                self._is_dialling.set()
                try:
                    if await self._try(approach, preparing):
                        return None
                except HomeportError as error:
                    if not self._may_try_next(approach, error):
                        return self._refused(error)
        await preparing
        self._logbook.step(Event.PLATFORM_LOST)
        return HomeportError(Code.PLATFORM_UNREACHABLE, "no address led to a platform")

    async def _prepare(self) -> _Asked | HomeportError:
        """Name the request, write it down, make its key. Failures are for whoever needs the key."""
        request = self._logbook.saved.request
        if request is None or request.is_renewal:
            name = new_request_id()
            uri = self._tools.keys.uri_for(name)
            retired = self._logbook.saved.retired + ((request.key,) if request else ())
            request = KeyRequested(request_id=name, key=uri, is_renewal=False)
            self._logbook.note(request=request, retired=retired)
        try:
            return await to_its_end(self._make, request)
        except HomeportError as error:
            return error

    def _make(self, request: KeyRequested) -> _Asked:
        key = self._tools.keys.open_or_make(request.key)
        csr = build_request(key, self._tools.identity.device.serial_number)
        return _Asked(request, key, csr)

    async def _try(self, approach: Approach, preparing: _Preparing) -> bool:
        """Follow one address to its end, through redirects."""
        for _ in range(1 + REDIRECTS_MAX):
            self._tools.diary.update(trying=str(approach))
            tools = self._tools
            async with visiting(
                approach, tools.platforms, tools.timekeeper, tools.logbook
            ) as visit:
                self._logbook.step(Event.PLATFORM_PROVEN)
                asked = await preparing
                if isinstance(asked, HomeportError):
                    raise asked
                answer = await self._wait_for_facts(visit, asked)
            if isinstance(answer, Enrolled):
                public_key = asked.key.public_key()
                accept_certificate(answer, self._logbook, approach, asked.request, public_key)
                self._tools.diary.worked()
                return True
            platform = accept_redirect(answer, self._logbook, tools.identity, tools.timekeeper)
            approach = approach_to(platform, "voucher")
        raise HomeportError(Code.PLATFORM_UNPROVEN, f"more than {REDIRECTS_MAX} redirects")

    async def _wait_for_facts(self, visit: Visit, asked: _Asked) -> Enrolled | Redirect:
        wait = 0
        network = self._network(visit.approach)

        def sign(greeting: Greeting, nonce: str) -> SignedRequest:
            return self._sign(asked, network, greeting.enrol, nonce, wait)

        while True:
            answer = await visit.ask(visit.greeting.enrol, sign, wait)
            if not isinstance(answer, Parked):
                return answer
            visit.nonce = answer.nonce
            self._note_missing(answer)
            if wait or not answer.wait:
                asked_for = timedelta(seconds=answer.retry_after)
                await self._tools.clock.sleep(min(max(asked_for, REST_MIN), REST_MAX))
            wait = min(answer.wait, WAIT_MAX_SECONDS)

    def _sign(
        self, asked: _Asked, network: NetworkFacts, url: str, nonce: str, wait: int
    ) -> SignedRequest:
        device = self._tools.identity.device
        facts = DeviceFacts(serial_number=device.serial_number, model=device.model, network=network)
        key_request = KeyRequest(
            request_id=asked.request.request_id,
            csr=asked.csr,
            epoch=self._logbook.lifetime.epoch,
            agent=AGENT,
        )
        return build_enrol_request(
            self._tools.identity.idevid, facts, key_request, url=url, nonce=nonce, wait=wait
        )

    def _network(self, approach: Approach) -> NetworkFacts:
        for interface in self._tools.platforms.usable_interfaces():
            facts = network_facts(interface)
            return NetworkFacts(
                interface=facts.interface,
                mac=facts.mac,
                addresses=facts.addresses,
                source=approach.source,
            )
        return NetworkFacts(source=approach.source)

    def _note_missing(self, parked: Parked) -> None:
        told, missing = self._logbook.saved.told, printable(parked.missing)
        is_known = told is not None and told.code == missing
        if self._logbook.saved.journey is State.PARKED and is_known:
            return
        advice = printable(parked.detail)
        logger.info("parked: %s is missing (%s)", missing, advice)
        self._logbook.step(
            Event.FACT_MISSING,
            told=Told(
                code=missing,
                title=f"The platform knows this device; its {missing} is missing.",
                advice=advice,
                at=self._logbook.now(),
            ),
        )

    def _may_try_next(self, approach: Approach, error: HomeportError) -> bool:
        """Note a failure, and say whether another address may do better."""
        self._tools.diary.failed(str(approach), error)
        if isinstance(error, PlatformRefusalError):
            return error.kind in ELSEWHERE
        if error.code in {Code.PLATFORM_UNPROVEN, Code.PLATFORM_ABSENT, Code.PLATFORM_UNREACHABLE}:
            self._unverified.append(approach.url)
        # A store or key that does not work would not work for the next one either.
        return error.code not in {Code.STORAGE_UNAVAILABLE, Code.KEY_STORE_UNAVAILABLE}

    def _refused(self, error: HomeportError) -> HomeportError:
        """Write down what a proven platform refuses."""
        if not isinstance(error, PlatformRefusalError) or error.kind is Kind.THROTTLED:
            self._logbook.step(Event.PLATFORM_LOST)
            return error
        saved = self._logbook.saved
        told = Told(
            code=error.platform_code, title=error.title, advice=error.advice, at=self._logbook.now()
        )
        changes: dict[str, object] = {"told": told}
        is_dead = error.code is Code.EPOCH_STALE or (
            error.code is Code.KEY_REVOKED and saved.journey is State.REVOKED
        )
        if is_dead and saved.request:
            # This key is dead, with a former owner or the time before a readmission; a new one is
            # welcome, and only a new one.
            changes |= {"request": None, "retired": (*saved.retired, saved.request.key)}
        is_revoked = error.code in REVOKED
        self._logbook.step(Event.CREDENTIAL_REVOKED if is_revoked else Event.REFUSED, **changes)
        return error


def is_for_people(error: HomeportError) -> bool:
    """Whether a proven platform refused for a reason that time alone does not mend."""
    return isinstance(error, PlatformRefusalError) and error.kind in {
        Kind.REFUSED,
        Kind.UNPROVEN,
        Kind.CONFLICT,
        Kind.MALFORMED,
    }
