# SPDX-License-Identifier: Apache-2.0
"""Requests about what factories hand over."""

import json
from pathlib import Path
from typing import Final

from contract.registry_suite import NOW, device
from homeport.artefacts.voucher import read_voucher
from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.pki.certificates import load_bundle
from homeport.provisioning.ports import Transaction
from homeport.provisioning.trust_authority import trust_authority
from unit.api.samples.sample import Sample

VECTORS: Final = Path(__file__).parents[3] / "vectors"
ANCHOR: Final = (VECTORS / "manifest/anchor.pem").read_bytes()
MANIFEST: Final = (VECTORS / "manifest/good.jsonl").read_bytes()
VOUCHER: Final = json.loads((VECTORS / "voucher/good.json").read_bytes())["voucher"].encode()


async def works(tx: Transaction) -> None:
    """The maker of the manifest is trusted."""
    if not await tx.authorities.all():
        await trust_authority(tx, load_bundle(ANCHOR)[0], "Works", actor="olga", now=NOW)


async def edge(tx: Transaction) -> None:
    """The platform that the voucher names is there, and its device."""
    said = read_voucher(VOUCHER)
    known = Upstream(
        name="edge",
        kind=UpstreamKind.PLATFORM,
        url="https://edge",
        anchor=said.pinned_domain_cert,
        added_at=NOW,
    )
    await tx.upstreams.add(known)
    await tx.devices.put(device(said.serial_number))


SAMPLES: Final = {
    "list_authorities": Sample(given=works),
    "trust": Sample(said={"name": "Works", "anchor": ANCHOR.decode()}, status=201),
    "import_a_manifest": Sample(body=MANIFEST, given=works),
    "file_voucher": Sample(body=VOUCHER, given=edge),
}
