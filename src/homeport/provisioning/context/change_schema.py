# SPDX-License-Identifier: Apache-2.0
"""Say what attributes devices of a model may have: a new version; the old ones stay readable."""

from dataclasses import replace

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.context.merge_patch import is_same
from homeport.domain.context.schema import ModelSchema, check_model, check_schema
from homeport.provisioning.context.held import refuse_other_version
from homeport.provisioning.ports import Transaction


async def change_schema(
    tx: Transaction, schema: ModelSchema, *, if_version: int | None = None
) -> ModelSchema:
    """Keep it as the next version, whatever its own says; the same again is no change.

    Stored attributes are left as they are; what no longer fits is shown with them. HomeportError:
    CHANGED_MEANWHILE, SCHEMA_MALFORMED, TENANT_UNKNOWN, MALFORMED (the model's name).
    """
    check_schema(schema.document)
    latest = await tx.schemas.latest(schema.tenant, check_model(schema.model))
    version = latest.version if latest else 0
    refuse_other_version(version, if_version)
    if latest is not None and is_same(latest.document, schema.document):
        return latest
    added = replace(schema, version=version + 1)
    await tx.schemas.add(added)
    await tx.audit.record(
        AuditEvent(
            name=Name.SCHEMA_CHANGED,
            at=added.added_at,
            actor=added.added_by,
            tenant=added.tenant,
            facts={"model": added.model, "version": added.version},
        )
    )
    return added
