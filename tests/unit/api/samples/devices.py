# SPDX-License-Identifier: Apache-2.0
"""Devices of acme, and requests about them."""

from dataclasses import replace
from typing import Final

from contract.registry_suite import NOW, credential, device, device_id, event, run_of
from fakes.people_door import member
from homeport.domain.audit import Name
from homeport.domain.enrolment import State
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.provisioning.ports import Presence, Transaction
from unit.api.samples.people import people
from unit.api.samples.sample import Sample

SERIAL: Final = "ACME-0001"
"""Of acme's device; every name of a thing of acme's has "acme" in it, and none of another's has."""
OURS: Final = {"device_id": str(device_id(SERIAL))}
UNOWNED: Final = {"device_id": str(device_id("NEW-0001"))}


async def fill(tx: Transaction) -> None:
    """Put in what every walk begins with."""
    await tx.upstreams.add(Upstream(name="here", kind=UpstreamKind.OURS, added_at=NOW))
    for name in ("acme", "bolt"):
        await tx.tenants.add(
            Tenant(name=name, title=f"{name} Ltd", default_upstream="here", added_at=NOW)
        )
    known = device(SERIAL, tenant="acme", upstream="here", epoch=1, ownership=Ownership.OWNED)
    await tx.devices.put(known)
    await tx.devices.put(device("NEW-0001"))
    await tx.devices.put(replace(known, id=device_id("BOLT-0001"), tenant="bolt"))
    await tx.enrolments.put(run_of(1, device=known.id))
    await tx.credentials.put(credential(1, device=known.id))
    await tx.presence.put(known.id, Presence(online=True, since=NOW))
    await tx.audit.record(event(Name.DEVICE_ASSIGNED, device=known.id, tenant="acme"))
    await people(tx)


async def candidate(tx: Transaction) -> None:
    """A second key waits."""
    await tx.enrolments.put(run_of(2, State.AWAITING_DECISION, device=device_id(SERIAL)))


async def revoked(tx: Transaction) -> None:
    """It is revoked."""
    await tx.enrolments.put(run_of(1, State.REVOKED, device=device_id(SERIAL)))


ENGINEER: Final = member(Role.ENGINEER)
VIEWER: Final = member(Role.VIEWER)

SAMPLES: Final = {
    "list_devices": Sample(caller=VIEWER),
    "get_device": Sample(path=OURS, caller=VIEWER),
    "get_timeline": Sample(path=OURS, caller=VIEWER),
    "assign_device": Sample(path=UNOWNED, said={"tenant": "acme"}),
    "revoke_device": Sample(path=OURS, caller=ENGINEER),
    "readmit_device": Sample(path=OURS, caller=ENGINEER, given=revoked),
    "accept_key": Sample(path=OURS, caller=ENGINEER, given=candidate),
    "refuse_key": Sample(path=OURS, caller=ENGINEER, given=candidate),
}
