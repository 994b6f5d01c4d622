# SPDX-License-Identifier: Apache-2.0
"""A platform in memory, driven verb by verb."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from fakes.clock import HastyClock
from fakes.issuer import FakeIssuer
from fakes.registry import FakeRegistry
from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.audit import Name
from homeport.domain.claim import Claim
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import State
from homeport.errors import Code
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.complete import complete
from homeport.provisioning.enrolment.enrol import enrol
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.imports.sales import Intake, SalesReport, import_sales
from homeport.provisioning.imports.sales_file import read_sales
from homeport.provisioning.ownership.claim import ClaimRequest, claim
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import MintedDevice, Transaction
from homeport.provisioning.proof import ProvenRenewal, ProvenRequest
from homeport.provisioning.refusal import Refusal
from homeport.provisioning.renew import Renewed, Renewing, renew

Result = TypeVar("Result")
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
CODE = "0123456789ABCDEFGHJK"
DEVICE = DeviceId("a" * 16, "EX-000017")
OTHER = DeviceId("a" * 16, "EX-000018")


@dataclass
class Platform:
    """The verbs over a registry in memory, as the doors would call them."""

    registry: FakeRegistry = field(default_factory=FakeRegistry)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    policy: Policy = field(default_factory=Policy)
    now: datetime = START

    async def verb(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return await self.registry.transact(verb)

    async def begin(self) -> "Platform":
        await self.verb(lambda tx: add_own_upstream(tx, now=self.now))
        await self.add("acme")
        await self.add("other")
        return self

    async def add(self, tenant: str) -> None:
        await self.verb(lambda tx: add_tenant(tx, tenant, title="", actor="t", now=self.now))

    async def ask(
        self,
        device: DeviceId = DEVICE,
        key: str = "k1",
        request: str = "r1",
        idevid: str = "i1",
        epoch: int = 0,
    ) -> Outcome | Refusal:
        proven = ProvenRequest(
            device=device,
            model="EX-100",
            idevid_fingerprint=f"{idevid} {device}",
            csr=None,  # type: ignore[arg-type]  # the fake issuer does not look at it
            key_hash=key,
            request_id=request,
            epoch=epoch,
            peer="192.0.2.7",
        )
        return await self.verb(
            lambda tx: enrol(Visit(tx, proven, self.issuer, self.policy, self.now))
        )

    async def sell(self, line: str, columns: str = "serial_number,tenant") -> SalesReport:
        return await self.import_sales([columns, *line.split("|")])

    async def import_sales(self, lines: Sequence[str], **changes: Any) -> SalesReport:
        text = "".join(f"{line}\n" for line in lines)
        intake = Intake(
            source="sales.csv",
            digest=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
            actor="t",
            clock=HastyClock(),
        )
        read = read_sales(text.splitlines(keepends=True), source="sales.csv", now=self.now)
        return await import_sales(self.registry, read, replace(intake, **changes))

    async def mint(self, device: DeviceId = DEVICE, code: str = CODE) -> None:
        """Register the device as its manifest does, with the code of its label."""
        line = MintedDevice(
            serial_number=device.serial_number,
            model="EX-100",
            hardware_identity="pkcs11",
            idevid_fingerprint=f"i1 {device}",
            dpp_key=None,
            dpp_key_hash=None,
            claim_code_hash=hash_claim_code(code).hex(),
        )
        async with self.registry.stage_minted(device.authority, [line]) as staged:
            await self.verb(lambda tx: tx.devices.add_minted(staged, self.now))

    async def claim(
        self, tenant: str = "acme", code: str = CODE, device: str = DEVICE.serial_number
    ) -> Claim | Refusal:
        asked = ClaimRequest(device=device, code=code, tenant=tenant)
        return await self.verb(lambda tx: claim(tx, asked, actor=f"of {tenant}", now=self.now))

    async def device(self, device: DeviceId = DEVICE) -> Device:
        known = await self.verb(lambda tx: tx.devices.get(device))
        assert known is not None
        return known

    async def arrive(self, outcome: Outcome | Refusal) -> bool:
        assert isinstance(outcome, Outcome)
        assert outcome.credential is not None
        return await self.come_online(outcome.credential.fingerprint)

    async def come_online(self, fingerprint: str) -> bool:
        return await self.verb(
            lambda tx: complete(
                tx,
                device=DEVICE,
                tenant="acme",
                fingerprint=fingerprint,
                online=True,
                now=self.now,
            )
        )

    async def renew(
        self, fingerprint: str, key: str = "k1", request: str = "n1"
    ) -> Renewed | Refusal:
        proven = ProvenRenewal(
            device=DEVICE,
            fingerprint=fingerprint,
            csr=None,  # type: ignore[arg-type]
            key_hash=key,
            request_id=request,
            peer="192.0.2.7",
        )
        return await self.verb(
            lambda tx: renew(Renewing(tx, proven, self.issuer, self.policy, self.now))
        )

    async def names(self, device: DeviceId = DEVICE) -> list[Name]:
        return [e.name for e in await self.verb(lambda tx: tx.audit.of_device(device))]

    async def state(self, device: DeviceId = DEVICE) -> State | None:
        run = await self.verb(lambda tx: tx.enrolments.latest(device))
        return run.state if run else None


def on_platform(test: Callable[[Platform], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run the test on a fresh platform with two tenants."""

    async def run() -> None:
        await test(await Platform().begin())

    def wrapped() -> None:
        asyncio.run(run())

    wrapped.__name__ = test.__name__
    return wrapped


def given(outcome: Outcome | Renewed | Refusal) -> str:
    """The fingerprint of what the device got."""
    assert isinstance(outcome, Outcome | Renewed)
    assert outcome.credential is not None
    return outcome.credential.fingerprint


def refused(outcome: object) -> Code:
    assert isinstance(outcome, Refusal)
    return outcome.code
