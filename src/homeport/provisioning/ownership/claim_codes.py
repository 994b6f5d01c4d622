# SPDX-License-Identifier: Apache-2.0
"""Claim codes: whether one is right, and a fresh one for a later owner.

The label's code serves the first owner only: a code counts for one ownership epoch, so every new
owner ends it.
"""

import hmac
from datetime import datetime
from typing import Final

from homeport.artefacts.claim_code import hash_claim_code, make_claim_code
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import ClaimCode
from homeport.domain.device import Device
from homeport.provisioning.ownership.revocable import refuse_revocable
from homeport.provisioning.ports import Transaction

SPENT: Final = -1
"""An epoch that no device has: a code of it never counts."""

_NO_CODE: Final = bytes(32)
"""Compared with where there is no code: a device without one takes as long as one with."""


async def is_right(tx: Transaction, device: Device, code: str) -> bool:
    """Say whether this is the device's code and still counts; in constant time over the code."""
    kept = await tx.claim_codes.get(device.id)
    is_equal = hmac.compare_digest(hash_claim_code(code), kept.hash if kept else _NO_CODE)
    return is_equal and kept is not None and kept.epoch == device.epoch


def compare_with_nothing(code: str) -> None:
    """Take as long as `is_right`, for a device that is not there."""
    hmac.compare_digest(hash_claim_code(code), _NO_CODE)


async def make_code(tx: Transaction, device: Device, *, actor: str, now: datetime) -> str:
    """Give the device a fresh code, for the next owner after its present epoch; return it.

    It is shown once: only its hash is kept. Every earlier code of the device is worthless now.
    TRANSITION_ILLEGAL while the device has not arrived at its owner: the label's code may yet be
    needed, by somebody else.
    """
    await refuse_revocable(tx, device)
    code = make_claim_code()
    await tx.claim_codes.put(device.id, ClaimCode(hash_claim_code(code), device.epoch))
    await tx.audit.record(
        AuditEvent(
            name=Name.CLAIM_CODE_MADE,
            at=now,
            actor=actor,
            tenant=device.tenant,
            device=device.id,
            facts={"epoch": device.epoch},
        )
    )
    return code


async def restore_code(tx: Transaction, device: Device) -> None:
    """Let the code count again that the present owner ended; one that he made is spent."""
    kept = await tx.claim_codes.get(device.id)
    if kept is not None and kept.epoch == device.epoch - 1:
        await tx.claim_codes.put(device.id, ClaimCode(kept.hash, device.epoch))
    elif kept is not None and kept.epoch == device.epoch:
        await tx.claim_codes.put(device.id, ClaimCode(kept.hash, SPENT))
