# SPDX-License-Identifier: Apache-2.0
"""The device's door: three paths of HTTP, one function each.

Rules: a source that asks too fast is stopped before its body is read; a device that asks too fast
is stopped before the registry is asked; the bodies have limits in size and time (`homeport.http`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.clock import Clock
from homeport.domain.enrolment import PARKED
from homeport.errors import Code, HomeportError
from homeport.http.asgi import Receive, Scope, Send, respond
from homeport.http.limits import read_body
from homeport.http.source import Networks, peer_address, source_of
from homeport.http.throttle import Throttle
from homeport.pki.anchors import Anchors
from homeport.protocols.native.server.answers import Answers
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Enrolling, Prover
from homeport.protocols.native.wire import (
    ENROL_PATH,
    GREETING_PATH,
    JWS_MEDIA_TYPE,
    RENEW_PATH,
    REQUEST_MAX_BYTES,
    VERSION,
    Greeting,
    encode,
)
from homeport.provisioning.enrolment.enrol import enrol
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Issuer, Registry
from homeport.provisioning.refusal import Refusal
from homeport.provisioning.renew import Renewing, renew
from homeport.provisioning.waiting import Waiting
from homeport.telemetry import CODE, DEVICE, ENROLMENT, REQUEST, SOURCE, about

JSON: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
JOSE: Final = ((b"content-type", JWS_MEDIA_TYPE.encode()), (b"cache-control", b"no-store"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast one source and one device may ask."""

    sources: Throttle
    devices: Throttle
    proxies: Networks = ()
    """Our own reverse proxies, whose X-Forwarded-For is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the door is made of."""

    name: str
    url: str
    registry: Registry
    issuer: Issuer
    policy: Policy
    prover: Prover
    nonces: Nonces
    answers: Answers
    waiting: Waiting
    limits: Limits
    clock: Clock
    anchors: Callable[[], Anchors]
    """The IDevID trust anchors as they are now."""
    noted: Callable[[str, Mapping[str, object]], None]
    """Told of every answer to a proven device: what came of it, particulars; for log, metrics."""


class NativeDoor:
    """An ASGI application; HomeportError leaves it for `homeport.http.problem`."""

    def __init__(self, parts: Parts) -> None:
        """Take the parts."""
        self._parts = parts
        self._paths: Mapping[str, tuple[str, Callable[[bytes, str], Awaitable[bytes]]]] = {
            ENROL_PATH: ("POST", self._enrol),
            RENEW_PATH: ("POST", self._renew),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        peer = peer_address(scope, self._parts.limits.proxies)
        self._parts.limits.sources.take(source_of(peer))
        path, method = scope["path"], scope["method"]
        if path == GREETING_PATH and method == "GET":
            return await respond(send, 200, JSON, self._greet())
        if path not in self._paths or method != self._paths[path][0]:
            raise HomeportError(Code.NOT_FOUND, f"{method} {path[:100]}")
        body = await read_body(scope, receive, limit=REQUEST_MAX_BYTES)
        await respond(send, 200, JOSE, await self._paths[path][1](body, peer))
        return None

    def _greet(self) -> bytes:
        parts, now = self._parts, self._parts.clock.now()
        greeting = Greeting(
            homeport=VERSION,
            name=parts.name,
            url=parts.url,
            enrol=parts.url + ENROL_PATH,
            renew=parts.url + RENEW_PATH,
            nonce=parts.nonces.make(now),
            time=int(now.timestamp()),
        )
        return encode(greeting)

    async def _enrol(self, body: bytes, peer: str) -> bytes:
        parts, now = self._parts, self._parts.clock.now()
        enrolling = parts.prover.prove_enrolment(body, parts.anchors(), peer, now)
        device = enrolling.proven.device
        with about(**{DEVICE: str(device), REQUEST: enrolling.proven.request_id}):
            parts.limits.devices.take(device)
            with parts.waiting.for_news(device) as news:
                outcome = await self._visit(enrolling, now)
                if enrolling.request.wait and outcome.run.state in PARKED:
                    outcome = await self._wait(enrolling, outcome, news)
            now = parts.clock.now()
            parts.noted(outcome.run.state, {ENROLMENT: outcome.run.id, SOURCE: peer})
        return parts.answers.to_outcome(outcome, enrolling.binding, parts.nonces, now)

    async def _wait(self, enrolling: Enrolling, outcome: Outcome, news: asyncio.Event) -> Outcome:
        """Hold a long poll until the fact arrives or the time that the device gave is over."""
        try:
            async with asyncio.timeout(enrolling.request.wait):
                while outcome.run.state in PARKED:
                    await news.wait()
                    news.clear()
                    outcome = await self._visit(enrolling, self._parts.clock.now())
        except TimeoutError:
            pass
        return outcome

    async def _visit(self, enrolling: Enrolling, now: datetime) -> Outcome:
        parts, proven = self._parts, enrolling.proven
        came_of = await parts.registry.transact(
            lambda tx: enrol(Visit(tx, proven, parts.issuer, parts.policy, now))
        )
        if isinstance(came_of, Refusal):
            raise self._refused(came_of, proven.peer)
        return came_of

    async def _renew(self, body: bytes, peer: str) -> bytes:
        parts, now = self._parts, self._parts.clock.now()
        proven, binding = parts.prover.prove_renewal(body, peer, now)
        with about(**{DEVICE: str(proven.device), REQUEST: proven.request_id}):
            parts.limits.devices.take(proven.device)
            renewed = await parts.registry.transact(
                lambda tx: renew(Renewing(tx, proven, parts.issuer, parts.policy, now))
            )
            if isinstance(renewed, Refusal):
                raise self._refused(renewed, peer)
            parts.noted("renewed", {SOURCE: peer})
        return parts.answers.to_renewal(renewed.device, renewed.credential, binding, now)

    def _refused(self, refusal: Refusal, peer: str) -> HomeportError:
        self._parts.noted("refused", {CODE: refusal.code, SOURCE: peer})
        return HomeportError(refusal.code, refusal.detail)
