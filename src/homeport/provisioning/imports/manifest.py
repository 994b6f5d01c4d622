# SPDX-License-Identifier: Apache-2.0
"""Import a factory's hand-over manifest: all of it, or nothing.

The lines are laid ready beside the registry while they are read; only when the trailer's signature
was proven does one short transaction register them and trust the authority.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography import x509

from homeport.artefacts.manifest import ManifestLine, ManifestReader, names_authority
from homeport.domain.audit import AuditEvent, Name
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import der_of, parse_certificate
from homeport.provisioning.ports import Authority, MintedDevice, Registry, Staged, Transaction
from homeport.provisioning.trust_authority import trust_authority


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What an import did."""

    authority: str
    factory: str
    devices: int
    new: int
    is_first: bool
    """Whether the authority was not trusted before."""


async def import_known(
    registry: Registry, stream: BinaryIO, *, actor: str, now: datetime
) -> ManifestReport:
    """Register the devices of a manifest whose authority is trusted already.

    MANIFEST_UNPROVEN for one of any other; else as `import_manifest`.
    """
    trusted = await registry.read(lambda tx: tx.authorities.all())
    for authority in trusted:
        if names_authority(stream, authority.id):
            anchor = parse_certificate(authority.anchor)
            reader = ManifestReader(stream, anchor)
            return await import_manifest(registry, reader, anchor, actor=actor, now=now)
    raise HomeportError(Code.MANIFEST_UNPROVEN, "it names no authority that is trusted here")


async def import_manifest(
    registry: Registry,
    reader: ManifestReader,
    anchor: x509.Certificate,
    *,
    actor: str,
    now: datetime,
) -> ManifestReport:
    """Register the manifest's devices; HomeportError (MANIFEST_…, DEVICE_…) keeps nothing."""
    header = reader.header
    authority = Authority(
        id=header.authority, name=header.factory, anchor=der_of(anchor), trusted_at=now
    )
    async with registry.stage_minted(header.authority, minted(reader)) as staged:
        return await registry.transact(lambda tx: _register(tx, authority, staged, actor))


def minted(lines: Iterable[ManifestLine]) -> Iterator[MintedDevice]:
    """Yield what the registry keeps of each line."""
    for line in lines:
        yield MintedDevice(
            serial_number=line.serial_number,
            model=line.model,
            hardware_identity=line.hardware_identity,
            idevid_fingerprint=line.idevid_fingerprint,
            dpp_key=line.dpp_key,
            dpp_key_hash=line.dpp_key_hash,
            claim_code_hash=line.claim_code_hash,
        )


async def _register(
    tx: Transaction, authority: Authority, staged: Staged[MintedDevice], actor: str
) -> ManifestReport:
    now = authority.trusted_at
    is_first = await tx.authorities.get(authority.id) is None
    if is_first:
        anchor = parse_certificate(authority.anchor)
        await trust_authority(tx, anchor, authority.name, actor=actor, now=now)
    new = await tx.devices.add_minted(staged, now)
    facts: dict[str, str | int] = {"authority": authority.id}
    facts |= {"count": staged.count, "new": new}
    await tx.audit.record(AuditEvent(name=Name.MANIFEST_IMPORTED, at=now, actor=actor, facts=facts))
    return ManifestReport(authority.id, authority.name, staged.count, new, is_first)
