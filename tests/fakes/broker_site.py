# SPDX-License-Identifier: Apache-2.0
"""A platform as the broker sees it: certificates, registered devices, the real broker, our link.

What is fake is the registry (in memory, same contract suite as the real ones); the certificates are
made by `homeport.pki`, the broker is the real nats-server.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from fakes.registry import FakeRegistry
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.broker.settings import EmbeddedSettings, Listener
from homeport.clock import SystemClock
from homeport.demo.stage import free_ports
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.domain.ownership import Ownership
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import OURS, Upstream, UpstreamKind
from homeport.keys import PrivateKey, make_key, open_key
from homeport.pki.authority import (
    Issuer,
    build_intermediate,
    build_leaf,
    build_root,
    ldevid_leaf,
    server_leaf,
)
from homeport.pki.certificates import der_of, fingerprint, pem_of, spki_hash
from homeport.protocols.mqtt.device import UplinkSettings, Will
from homeport.protocols.mqtt.server import StateMessages
from homeport.protocols.mqtt.wire import DeviceTopics, Offline, Online, encode, login_url
from homeport.provisioning.admit import Admission, admit
from homeport.provisioning.ports import Transaction

NAME = "platform.example"
TENANT = "acme"
CLOCK = SystemClock()


def free_port() -> int:
    """A free port of the loopback interface."""
    (port,) = free_ports(1)
    return port


async def until(condition: Callable[[], object], seconds: float = 75.0) -> None:
    """Wait until something is so; by default beyond `states.ACK_WAIT`.

    A state message is promised *at least once*: one that got stuck on the way comes again then.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - asks what another process did
            await asyncio.sleep(0.005)


class Authority:
    """A CA with its key in a file."""

    def __init__(self, directory: Path, name: str, parent: "Authority | None" = None) -> None:
        self.key = make_key(f"file:{directory / name}.key")
        start = datetime.now(UTC) - timedelta(hours=1)
        if parent is None:
            self.certificate = build_root(self.key, name, start, 10)
        else:
            self.certificate = build_intermediate(
                parent.issuer, self.key.public_key(), name, start, 5
            )
        self.issuer: Issuer = Issuer(self.certificate, self.key)

    @property
    def pem(self) -> bytes:
        return pem_of(self.certificate)


@dataclass
class TestDevice:
    """A device with its operational certificate."""

    __test__ = False
    id: DeviceId
    key_uri: str
    certificate: x509.Certificate
    chain: bytes
    tenant: str = TENANT

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)

    @property
    def topics(self) -> DeviceTopics:
        return DeviceTopics.parse(f"hp/{self.tenant}/{self.id}")

    @property
    def online(self) -> bytes:
        return encode(Online(credential=self.fingerprint, agent="test/1"))

    @property
    def offline(self) -> bytes:
        return encode(Offline(credential=self.fingerprint))


@dataclass
class Site:
    """Directory, authorities and registry of one platform."""

    directory: Path
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    port: int = field(default_factory=free_port)
    websocket_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.root = Authority(self.directory, "root")
        self.ldevids = Authority(self.directory, "ldevids", self.root)
        self.renew_server_certificate()
        (self.directory / "issuers.pem").write_bytes(self.ldevids.pem)
        self.states = StateMessages(self.registry)
        now = datetime.now(UTC)
        rows = self.registry.rows
        rows.upstreams[OURS] = Upstream(name=OURS, kind=UpstreamKind.OURS, added_at=now)
        for name in (TENANT, "other"):
            rows.tenants[name] = Tenant(name=name, title=name, default_upstream=OURS, added_at=now)

    def renew_server_certificate(self) -> x509.Certificate:
        key_file = self.directory / "server.key"
        key_file.unlink(missing_ok=True)
        key = make_key(f"file:{key_file}")
        now = datetime.now(UTC)
        leaf = server_leaf(
            key.public_key(), [NAME], now - timedelta(hours=1), now + timedelta(days=30)
        )
        certificate = build_leaf(leaf, self.root.issuer)
        (self.directory / "server.pem").write_bytes(pem_of(certificate))
        return certificate

    @property
    def settings(self) -> EmbeddedSettings:
        return EmbeddedSettings(
            directory=self.directory / "broker",
            certificate=self.directory / "server.pem",
            key=self.directory / "server.key",
            device_issuers=self.directory / "issuers.pem",
            mqtt=Listener("127.0.0.1", self.port),
            websocket=Listener("127.0.0.1", self.websocket_port),
        )

    def leaf_for(
        self,
        device: DeviceId,
        key: PrivateKey,
        lifetime: timedelta,
        issuer: Authority | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        leaf = ldevid_leaf(
            key.public_key(),
            str(device),
            device.serial_number,
            now - timedelta(minutes=5),
            (now + lifetime).replace(microsecond=0),
        )
        return build_leaf(leaf, (issuer or self.ldevids).issuer)

    async def device(
        self,
        serial_number: str,
        *,
        lifetime: timedelta = timedelta(days=1),
        key_uri: str | None = None,
        tenant: str = TENANT,
    ) -> TestDevice:
        """Make and register one that was enrolled and has not yet said anything."""
        device = DeviceId("abcdefghijklmnop", serial_number)
        now = datetime.now(UTC)
        await self.registry.transact(
            lambda tx: tx.devices.put(
                Device(
                    id=device,
                    model="EX-100",
                    hardware_identity="file",
                    minted=True,
                    idevid_fingerprint="00" * 32,
                    tenant=tenant,
                    upstream=OURS,
                    epoch=1,
                    ownership=Ownership.OWNED,
                    registered_at=now,
                )
            )
        )
        return await self.certify(device, lifetime=lifetime, key_uri=key_uri, tenant=tenant)

    async def certify(
        self,
        device: DeviceId,
        *,
        lifetime: timedelta = timedelta(days=1),
        key_uri: str | None = None,
        tenant: str = TENANT,
    ) -> TestDevice:
        """Give a registered device one more certificate, with a new key unless one is named."""
        now = datetime.now(UTC)
        if key_uri is None:
            count = len(self.registry.rows.credentials)
            key_uri = make_key(f"file:{self.directory / f'device-{count}.key'}").uri
        key = open_key(key_uri)
        certificate = self.leaf_for(device, key, lifetime)
        run = Enrolment(
            id=hashlib.sha256(der_of(certificate)).hexdigest()[:16],
            device=device,
            state=State.ISSUED,
            request_id="request-0000000001",
            key_hash=spki_hash(key.public_key()),
            epoch=1,
            started_at=now,
            changed_at=now,
        )
        credential = Credential(
            fingerprint=fingerprint(certificate),
            device=device,
            enrolment=run.id,
            request_id=run.request_id,
            key_hash=run.key_hash,
            serial_number=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            epoch=1,
            certificate=der_of(certificate),
        )

        async def add(tx: Transaction) -> None:
            await tx.enrolments.put(run)
            await tx.credentials.put(credential)

        await self.registry.transact(add)
        chain = pem_of(certificate, self.ldevids.certificate)
        return TestDevice(device, key_uri, certificate, chain, tenant)

    async def set_state(self, device: TestDevice, state: CredentialState) -> None:
        async def change(tx: Transaction) -> None:
            credential = await tx.credentials.get(device.fingerprint)
            assert credential is not None
            await tx.credentials.put(replace(credential, state=state))

        await self.registry.transact(change)

    def uplink_settings(self, device: TestDevice, **changes: Any) -> UplinkSettings:
        settings = UplinkSettings(
            host="127.0.0.1",
            port=self.port,
            server_name=NAME,
            anchors=self.root.pem,
            certificate=device.chain,
            key_uri=device.key_uri,
            client_id=str(device.id),
            will=Will(device.topics.state, device.offline),
        )
        return replace(settings, **changes)

    async def admit(self, shown: str, client_id: str) -> Admission:
        return await self.registry.read(
            lambda tx: admit(tx, fingerprint=shown, client_id=client_id, now=CLOCK.now())
        )

    @asynccontextmanager
    async def serving(self, link: BrokerLink) -> AsyncIterator[None]:
        """Answer the callout and take state messages."""
        urls = [login_url(NAME, "/mqtt")]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(link.serve_callout(self.admit, urls)),
                group.create_task(link.serve_states(self.states.handle)),
            ]
            await asyncio.sleep(0)
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[EmbeddedBroker, BrokerLink]]:
        """Broker, link and both services."""
        async with (
            EmbeddedBroker(self.settings) as broker,
            BrokerLink(broker.access) as link,
            self.serving(link),
        ):
            yield broker, link
