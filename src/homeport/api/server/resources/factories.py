# SPDX-License-Identifier: Apache-2.0
"""`/authorities` and `/manifests`: whose device identities are believed, and what they minted."""

from typing import Final

from fastapi import APIRouter, Request

from homeport.api.server.ask import Asked, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.server.uploads import takes_file, uploaded
from homeport.api.wire.artefacts import Authority, ManifestReport, NewAuthority
from homeport.api.wire.model import Page
from homeport.domain.people import Permission
from homeport.pki.certificates import fingerprint, load_bundle, parse_certificate
from homeport.provisioning import ports
from homeport.provisioning.imports.manifest import import_known
from homeport.provisioning.ports import Transaction
from homeport.provisioning.trust_authority import trust_authority

router: Final = APIRouter(tags=["factories"])


@router.get("/authorities", **needs(Permission.PLATFORM_OPERATE))
async def list_authorities(ask: Asked, span: Paged) -> Page[Authority]:
    """List the issuers of device identities that are trusted."""
    ask.demand(None, "authorities")
    known = await ask.read(lambda tx: tx.authorities.all())
    rows = [each for each in known if each.id > (span.after or "")][: span.fetch]
    return page_of(rows, span, _shown, lambda row: row.id)


@router.post("/authorities", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409))
async def trust(new: NewAuthority, ask: Posted) -> Authority:
    """Trust an issuer of device identities; its manifests can be imported then."""
    ask.demand(None, "authorities")
    anchor = load_bundle(new.anchor.encode())[0]

    async def verb(tx: Transaction) -> Authority:
        return _shown(await trust_authority(tx, anchor, new.name, actor=ask.actor, now=ask.now))

    return await ask.once(Authority, verb)


@router.post(
    "/manifests",
    **needs(
        Permission.PLATFORM_OPERATE,
        409,
        422,
        **takes_file(
            "application/octet-stream", "The hand-over manifest, as the factory wrote it."
        ),
    ),
)
async def import_a_manifest(ask: Asked, request: Request) -> ManifestReport:
    """Register the devices of a hand-over manifest: all or none; again changes nothing."""
    ask.demand(None, "manifests")
    async with uploaded(ask, request) as file:
        report = await import_known(ask.registry(), file, actor=ask.actor, now=ask.now)
    return ManifestReport(
        authority=report.authority,
        factory=report.factory,
        devices=report.devices,
        new=report.new,
    )


def _shown(known: ports.Authority) -> Authority:
    return Authority(
        id=known.id,
        name=known.name,
        fingerprint=fingerprint(parse_certificate(known.anchor)),
        trusted_at=known.trusted_at,
    )
