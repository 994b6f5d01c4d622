# SPDX-License-Identifier: Apache-2.0
"""A device's context as people see it: with what does not fit its model's schema."""

from collections.abc import Sequence
from dataclasses import dataclass

from homeport.domain.context.context import Context
from homeport.domain.context.schema import Misfit, misfits
from homeport.domain.device import Device
from homeport.provisioning.context.held import context_of
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class ContextView:
    """A context beside the schema that counts."""

    context: Context
    schema_version: int
    """0: there is no schema, and everything fits."""
    misfits: Sequence[Misfit]


async def view_context(tx: Transaction, device: Device) -> ContextView:
    """Return the context and what no longer, or not yet, fits."""
    context = await context_of(tx, device)
    schema = await tx.schemas.latest(device.tenant, device.model) if device.tenant else None
    if schema is None:
        return ContextView(context, 0, ())
    return ContextView(context, schema.version, misfits(schema.document, context.attributes))
