# SPDX-License-Identifier: Apache-2.0
"""Requests about contexts, schemas and twins of acme's."""

from typing import Final

from contract.registry_suite import NOW, device_id
from fakes.people_door import member
from homeport.domain.context.context import Context
from homeport.domain.context.schema import ModelSchema
from homeport.domain.people import Role
from homeport.provisioning.ports import Transaction
from unit.api.samples.devices import ENGINEER, OURS, SERIAL, VIEWER
from unit.api.samples.sample import Sample

TENANT: Final = {"tenant_name": "acme"}
MODEL: Final = {**TENANT, "model": "gateway"}
SCHEMA: Final = {"type": "object", "title": "acme", "properties": {"floor": {"type": "integer"}}}
FILE: Final = f"serial_number,name\n{SERIAL},acme pump\n".encode()


async def described(tx: Transaction) -> None:
    """Acme's device has a context."""
    await tx.contexts.put(
        Context(
            device=device_id(SERIAL), tenant="acme", name="acme pump", version=1, changed_at=NOW
        )
    )


async def with_schema(tx: Transaction) -> None:
    """Acme's model has a schema."""
    await tx.schemas.add(
        ModelSchema(
            tenant="acme",
            model="gateway",
            version=1,
            document=SCHEMA,
            added_at=NOW,
            added_by="ann",
        )
    )


SAMPLES: Final = {
    "get_context": Sample(path=OURS, caller=VIEWER, given=described),
    "patch_context": Sample(path=OURS, caller=ENGINEER, said={"name": "acme pump"}),
    "get_twin": Sample(path=OURS, caller=VIEWER),
    "patch_twin": Sample(path=OURS, caller=ENGINEER, said={"setpoint": 21}),
    "get_schema": Sample(path=MODEL, caller=VIEWER, given=with_schema),
    "put_schema": Sample(path=MODEL, caller=member(Role.ADMIN), said=SCHEMA),
    "list_contexts": Sample(path=TENANT, caller=VIEWER, given=described),
    "import_a_file_of_contexts": Sample(path=TENANT, caller=ENGINEER, body=FILE),
}
