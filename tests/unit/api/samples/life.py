# SPDX-License-Identifier: Apache-2.0
"""Requests about a device's life: commands, quarantine, transfers, its end."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from contract.registry_suite import NOW, device, device_id, event
from fakes.people_door import member
from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.audit import Name
from homeport.domain.life.command import Command, Order
from homeport.domain.life.offer import Offer
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.life.replacement import Replacement
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role
from homeport.provisioning.ports import Transaction
from unit.api.samples.devices import ENGINEER, OURS, SERIAL, VIEWER
from unit.api.samples.sample import Sample

LATER: Final = NOW + timedelta(days=3650)
OFFER: Final = "0" * 31 + "1"
CODE: Final = "0123456789ABCDEFGHJK"
ADMIN: Final = member(Role.ADMIN)
SPARE: Final = device(
    "ACME-0002", tenant="acme", upstream="here", epoch=1, ownership=Ownership.OWNED
)


async def commanded(tx: Transaction) -> None:
    """It was asked to rekey."""
    await tx.commands.put(
        Command(
            id=b"acme".hex().zfill(32),
            device=device_id(SERIAL),
            order=Order.REKEY,
            epoch=1,
            asked_by="of acme",
            asked_at=NOW,
            expires_at=LATER,
        )
    )


async def held(tx: Transaction) -> None:
    """It is in quarantine."""
    inside = Quarantine(device=device_id(SERIAL), by="acme", reason="acme's", since=NOW)
    await tx.quarantines.put(inside)


async def spare(tx: Transaction) -> None:
    """There is a second device."""
    await tx.devices.put(SPARE)


async def replaced(tx: Transaction) -> None:
    """The second device took the place of the first."""
    await tx.devices.put(SPARE)
    await tx.replacements.put(
        Replacement(
            new=SPARE.id,
            old=device_id(SERIAL),
            by="acme",
            at=NOW,
            upstream_before="here",
            was_revoked=False,
        )
    )


async def ended(tx: Transaction) -> None:
    """It was decommissioned by acme."""
    known = await tx.devices.get(device_id(SERIAL))
    assert known is not None
    await tx.devices.put(
        replace(known, tenant=None, upstream=None, ownership=Ownership.DECOMMISSIONED)
    )
    told = event(Name.DEVICE_DECOMMISSIONED, device=known.id, tenant="acme")
    await tx.audit.record(replace(told, at=LATER))


def offered(
    seller: str = "acme", buyer: str | None = "acme", code: str = ""
) -> Callable[[Transaction], Awaitable[None]]:
    """Return what puts in an offer of acme's device, or of bolt's."""

    async def given(tx: Transaction) -> None:
        known = await tx.devices.get(device_id(SERIAL if seller == "acme" else "BOLT-0001"))
        assert known is not None
        await tx.devices.put(replace(known, ownership=Ownership.OFFERED))
        await tx.offers.put(
            Offer(
                id=OFFER,
                device=known.id,
                seller=seller,
                buyer=buyer,
                code_hash=hash_claim_code(code) if code else None,
                offered_by=seller,
                offered_at=NOW,
                expires_at=LATER,
            )
        )

    return given


THE_OFFER: Final = {"offer_id": OFFER}
FROM_ACME: Final = offered("acme", "bolt")
TO_ACME: Final = offered("bolt", "acme")
TO_NOBODY: Final = offered("acme", None, CODE)
BY_CODE: Final = offered("bolt", None, CODE)

SAMPLES: Final = {
    "list_commands": Sample(path=OURS, caller=VIEWER, given=commanded),
    "command_device": Sample(path=OURS, caller=ENGINEER, said={"order": "rekey"}, status=201),
    "withdraw_command": Sample(path=OURS, caller=ENGINEER, given=commanded),
    "reset_device": Sample(path=OURS, caller=ENGINEER),
    "quarantine_device": Sample(path=OURS, caller=ENGINEER, said={"reason": "it shouts"}),
    "release_device": Sample(path=OURS, caller=ENGINEER, given=held),
    "replace_a_device": Sample(
        path=OURS, caller=ENGINEER, said={"device": str(SPARE.id)}, given=spare
    ),
    "undo_a_replacement": Sample(
        path={"device_id": str(SPARE.id)}, caller=ENGINEER, given=replaced
    ),
    "decommission_device": Sample(path=OURS, caller=ADMIN),
    "recommission_device": Sample(path=OURS, caller=ADMIN, given=ended),
    "offer_device": Sample(path=OURS, caller=ADMIN, said={"tenant": "bolt"}, status=201),
    "operate_devices": Sample(
        caller=ENGINEER, said={"action": "rekey", "devices": [OURS["device_id"]]}
    ),
    "transfer_devices": Sample(
        caller=ADMIN,
        said={"action": "offer", "tenant": "bolt", "devices": [OURS["device_id"]]},
    ),
    "list_offers": Sample(caller=VIEWER, given=TO_NOBODY),
    "get_offer": Sample(path=THE_OFFER, caller=VIEWER, given=TO_NOBODY),
    "accept_offer": Sample(path=THE_OFFER, caller=ADMIN, said={"tenant": "acme"}, given=TO_ACME),
    "accept_code": Sample(caller=ADMIN, said={"tenant": "acme", "code": CODE}, given=BY_CODE),
    "decline_offer": Sample(path=THE_OFFER, caller=ADMIN, given=TO_ACME),
    "withdraw_offer": Sample(path=THE_OFFER, caller=ADMIN, given=FROM_ACME),
}
