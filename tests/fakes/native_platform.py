# SPDX-License-Identifier: Apache-2.0
"""The device's door of the native protocol with real keys and CAs, over a registry in memory.

Requests go in as ASGI, so what the web server does is not here: `tests/integration` has that.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fakes.clock import HastyClock, TurnedClock
from fakes.registry import FakeRegistry
from homeport.ca import CertificateAuthority, LocalIssuer
from homeport.clock import SystemClock
from homeport.domain.audit import AuditEvent
from homeport.domain.device import DeviceId
from homeport.http.problem import with_problems
from homeport.http.throttle import Throttle
from homeport.keys.algorithms import CryptoKey
from homeport.keys.file import FileKey
from homeport.pki import jws
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import public_key_of
from homeport.protocols.native.server.answers import Answers, Site
from homeport.protocols.native.server.door import Limits, NativeDoor, Parts
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Prover
from homeport.protocols.native.wire import (
    ANSWER_TYP,
    ENROL_PATH,
    GREETING_PATH,
    RENEW_PATH,
    AnyAnswer,
    Endpoint,
    read_answer,
)
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.imports.sales import Intake, import_sales
from homeport.provisioning.imports.sales_file import read_sales
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Transaction
from homeport.provisioning.waiting import WAKING, Waiting
from homeport.server.audit.trail import Trail
from tools.vectors_native.identities import DOMAIN_SIGNER, Identity
from tools.vectors_native.scene import Maker, own_scene

Result = TypeVar("Result")

MAKER: Final = Maker()
"""One for all platforms of a test run: RSA keys take a while to make."""


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class NativePlatform:
    """One platform; `scene` makes the requests that fit it."""

    def __init__(self, *, source_burst: int = 1000, device_burst: int = 1000) -> None:
        self.clock = TurnedClock()
        self.scene, self.nonces = own_scene(self.clock.now(), MAKER)
        self.scene.nonce = lambda: self.nonces.make(self.clock.now())
        self.registry = FakeRegistry()
        self.waiting = Waiting()
        self.noted: list[tuple[str, Mapping[str, object]]] = []
        self.domain = self.scene.platform.service(DOMAIN_SIGNER)
        limits = Limits(
            sources=Throttle(rate=1, burst=source_burst, clock=self.clock),
            devices=Throttle(rate=1, burst=device_burst, clock=self.clock),
        )
        self.app = with_problems(NativeDoor(self._parts(limits)), lambda _scope, _error: None)

    def _parts(self, limits: Limits) -> Parts:
        keys, scene = self.scene.platform, self.scene
        issuing = keys.ldevid_issuer
        authority = CertificateAuthority(
            [issuing.certificate, keys.root.certificate], FileKey("memory", issuing.key)
        )
        issuer = LocalIssuer(authority)
        domain_key = FileKey("memory", cast("CryptoKey", self.domain.key))
        site = Site(
            endpoints=(Endpoint(protocol="mqtt", host=keys.name, port=8883),),
            anchors=(keys.root.certificate.public_bytes(Encoding.DER),),
            issuer_chain=issuer.chain(),
        )
        nonces = Nonces(self.nonces.key)
        anchors = Anchors(Purpose.IDEVID, scene.maker.anchors)
        return Parts(
            name=keys.name,
            url=scene.url,
            registry=self.registry,
            issuer=issuer,
            policy=Policy(),
            prover=Prover(scene.url, nonces, [issuing.certificate]),
            nonces=nonces,
            answers=Answers(site, jws.JwsSigner(domain_key, ANSWER_TYP, self.domain.chain)),
            waiting=self.waiting,
            limits=limits,
            clock=self.clock,
            anchors=lambda: anchors,
            noted=lambda name, facts: self.noted.append((name, facts)),
        )

    async def begin(self) -> "NativePlatform":
        """Add our own upstream and two tenants."""
        now = self.clock.now()
        await self.verb(lambda tx: add_own_upstream(tx, now=now))
        for name in ("acme", "other"):
            await self._add_tenant(name)
        return self

    async def _add_tenant(self, name: str) -> None:
        now = self.clock.now()
        await self.verb(lambda tx: add_tenant(tx, name, title="", actor="t", now=now))

    async def verb(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return await self.registry.transact(verb)

    async def sell(self, device: Identity, tenant: str = "acme") -> None:
        """Import a sales record for one device."""
        now, lines = self.clock.now(), ["serial_number,tenant", f"{device.serial_number},{tenant}"]
        records = list(read_sales(lines, source="sales.csv", now=now))
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        intake = Intake(source="sales.csv", digest=digest, actor="t", clock=HastyClock())
        await import_sales(self.registry, records, intake)

    @contextlib.asynccontextmanager
    async def trail(self) -> AsyncIterator[None]:
        """Follow the audit trail meanwhile, as the platform does, and wake who waits."""

        async def wake(event: AuditEvent) -> None:
            if event.device is not None:
                self.waiting.wake(event.device)

        trail = Trail(self.registry, SystemClock(), {name: [wake] for name in WAKING})
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(trail.follow())
            yield
            following.cancel()

    async def ask(
        self, method: str, path: str, body: bytes = b"", peer: str = "192.0.2.7"
    ) -> Response:
        """Send one request."""
        sent: list[Any] = []
        chunks = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return chunks.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        length = (b"content-length", b"%d" % len(body))
        scope = {"type": "http", "method": method, "path": path, "headers": [length]}
        await self.app({**scope, "client": (peer, 50000)}, receive, send)
        start, content = sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Response(start["status"], headers, content["body"])

    async def until_somebody_waits(self) -> None:
        """Return when a long poll has begun."""
        while not len(self.waiting):  # noqa: ASYNC110  (the door has no event for tests)
            await asyncio.sleep(0)

    async def greet(self) -> Response:
        return await self.ask("GET", GREETING_PATH)

    async def enrol(self, body: bytes, peer: str = "192.0.2.7") -> Response:
        return await self.ask("POST", ENROL_PATH, body, peer)

    async def renew(self, body: bytes) -> Response:
        return await self.ask("POST", RENEW_PATH, body)

    def answer(self, response: Response) -> AnyAnswer:
        """Read a signed answer, by the domain key."""
        assert response.status == 200, response.body
        signed = jws.parse(response.body, limit=1 << 18)
        leaf = x509.load_der_x509_certificate(self.domain.chain[0])
        return read_answer(jws.verify(signed, public_key_of(leaf)))

    def device_id(self, device: Identity) -> DeviceId:
        return DeviceId(self.scene.maker.root.id, device.serial_number)

    async def timeline(self, device: Identity) -> list[AuditEvent]:
        found = self.device_id(device)
        return list(await self.registry.read(lambda tx: tx.audit.of_device(found)))
