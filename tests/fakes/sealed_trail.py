# SPDX-License-Identifier: Apache-2.0
"""A platform's domain key with its certificate, and trails that it has sealed."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.broker_site import Authority
from homeport.artefacts.audit_head import TYP, HeadVerifier
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.keys import make_key
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.authority import build_leaf, domain_signer_leaf
from homeport.pki.certificates import der_of
from homeport.pki.jws import JwsSigner
from homeport.provisioning.audit.seal import seal
from homeport.provisioning.ports import Registry, SealedHead

PLATFORM = "platform.example"
NOW = datetime.now(UTC).replace(microsecond=0)
MAKER = "a" * 16


class Sealer:
    """Signs heads as a platform does."""

    def __init__(self, directory: Path, name: str = PLATFORM, root: Authority | None = None):
        directory.mkdir(parents=True, exist_ok=True)
        self.root = root or Authority(directory, "root")
        key = make_key(f"file:{directory / hashlib.sha256(name.encode()).hexdigest()}.key")
        start = NOW - timedelta(minutes=30)
        leaf = domain_signer_leaf(key.public_key(), [name], start, start + timedelta(days=90))
        self.certificate = build_leaf(leaf, self.root.issuer)
        self.name = name
        self.signer = JwsSigner(key, TYP, [der_of(self.certificate)])

    @property
    def verifier(self) -> HeadVerifier:
        return HeadVerifier(Anchors(Purpose.PLATFORM, [self.root.certificate]))

    async def seal(self, registry: Registry, now: datetime = NOW) -> SealedHead | None:
        return await seal(registry, self.signer, platform=self.name, now=now)

    async def fill(self, registry: Registry, *counts: int) -> list[bytes]:
        """Record events, sealed after each of the counts; return the heads."""
        heads = []
        for count in counts:
            await record(registry, count)
            head = await self.seal(registry)
            assert head is not None
            heads.append(head.jws)
        return heads


async def record(registry: Registry, count: int) -> None:
    """Record some events."""
    begin = await registry.read(lambda tx: tx.audit.last())
    events = [
        AuditEvent(
            name=Name.ENROLMENT_STARTED if number % 2 else Name.DEVICE_REGISTERED,
            at=NOW,
            actor="device",
            tenant="acme" if number % 3 else None,
            device=DeviceId(MAKER, f"SN-{number}"),
            facts={"peer": f"192.0.2.{number % 255}", "number": number},
        )
        for number in range(begin + 1, begin + count + 1)
    ]
    await registry.transact(lambda tx: tx.audit.record(*events))
