# SPDX-License-Identifier: Apache-2.0
"""Claims, the ledger and sales of acme."""

from dataclasses import replace
from typing import Final

from contract.registry_suite import NOW, device_id
from fakes.people_door import OPERATOR, member
from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.claim import Claim, ClaimCode
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role
from homeport.provisioning.ports import Transaction
from unit.api.samples.devices import OURS
from unit.api.samples.sample import Sample

CODE: Final = "0123456789ABCDEFGHJK"
NEW: Final = device_id("NEW-0001")
CLAIM: Final = Claim(id="c1", device=NEW, tenant="acme", actor="ann@acme", claimed_at=NOW)


async def with_code(tx: Transaction) -> None:
    """NEW-0001 has a label."""
    await tx.claim_codes.put(NEW, ClaimCode(hash_claim_code(CODE), 0))


async def claimed(tx: Transaction) -> None:
    """acme claims NEW-0001."""
    known = await tx.devices.get(NEW)
    assert known is not None
    await tx.devices.put(replace(known, ownership=Ownership.CLAIMED))
    await tx.claims.put(CLAIM)


INSTALLER: Final = member(Role.INSTALLER)

SAMPLES: Final = {
    "claim_a_device": Sample(
        said={"device": "NEW-0001", "code": CODE, "tenant": "acme"},
        caller=INSTALLER,
        status=201,
        given=with_code,
    ),
    "list_claims": Sample(caller=member(Role.VIEWER), given=claimed),
    "withdraw_a_claim": Sample(path={"claim_id": CLAIM.id}, caller=INSTALLER, given=claimed),
    "get_ownership": Sample(path=OURS, caller=member(Role.VIEWER)),
    "make_a_claim_code": Sample(path=OURS, caller=member(Role.ADMIN), status=201),
    "import_sales_records": Sample(
        said={"records": [{"serial_number": "ACME-0007", "tenant": "acme"}]}, caller=OPERATOR
    ),
}
