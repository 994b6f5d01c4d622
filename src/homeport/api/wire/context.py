# SPDX-License-Identifier: Apache-2.0
"""Contexts, schemas of attributes, and twins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from homeport.api.wire.model import Document
from homeport.domain.context import schema
from homeport.domain.context.context import NAME_MAX, PLACE_MAX, TAG_MAX, TAGS_MAX
from homeport.domain.context.context import Context as KnownContext
from homeport.domain.context.twin import Twin as KnownTwin

Label = Annotated[str, StringConstraints(max_length=NAME_MAX)]
Tag = Annotated[str, StringConstraints(max_length=TAG_MAX)]
Place = Annotated[str, StringConstraints(max_length=PLACE_MAX)]


class Location(Document):
    """Where a device is."""

    text: Place | None = None
    """In words."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    """WGS 84, degrees."""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class ContextChange(Document):
    """A JSON merge patch (RFC 7396) of a context: what is named changes, null takes away."""

    name: Label | None = None
    tags: Annotated[list[Tag], Field(max_length=TAGS_MAX)] | None = None
    """All of them."""
    location: Location | None = None
    attributes: dict[str, Any] | None = None

    def patch(self) -> dict[str, Any]:
        """Return it as it was sent."""
        return self.model_dump(exclude_unset=True)


class Misfit(Document):
    """An attribute that does not fit the schema of its model."""

    attribute: str
    reason: str


class Context(Document):
    """What is known of a device, and who changes it next must name as If-Match its ETag."""

    device: str
    version: int
    """Grows with every change; 0: nothing was ever said."""
    name: str
    tags: list[str]
    location: Location
    attributes: dict[str, Any]
    schema_version: int
    """Of the model's schema; 0: there is none."""
    misfits: list[Misfit]
    """What no longer, or not yet, fits it."""

    @classmethod
    def of(
        cls, context: KnownContext, schema_version: int, misfits: Sequence[schema.Misfit]
    ) -> Self:
        """Show a context beside its schema."""
        return cls(
            device=str(context.device),
            version=context.version,
            name=context.name,
            tags=list(context.tags),
            location=Location(**context.location.document()),
            attributes=dict(context.attributes),
            schema_version=schema_version,
            misfits=[Misfit(attribute=m.attribute, reason=m.reason) for m in misfits],
        )


class Twin(Document):
    """What a device is told, and what it says of itself."""

    device: str
    version: int
    """Of settings and context together; 0: it was never told anything."""
    desired: dict[str, Any]
    """Its settings."""
    is_pushed: bool
    """Whether the broker has this version for the device."""
    applied: int
    """The version that the device says it has taken into use; 0: none."""
    reported: dict[str, Any]
    """What it says of itself."""
    reported_at: datetime | None

    @classmethod
    def of(cls, known: KnownTwin) -> Self:
        """Show a twin of the registry."""
        return cls(
            device=str(known.device),
            version=known.version,
            desired=dict(known.desired),
            is_pushed=known.pushed == known.version,
            applied=known.applied,
            reported=dict(known.reported),
            reported_at=known.reported_at,
        )


class Schema(Document):
    """What attributes devices of a model may have at a tenant."""

    tenant: str
    model: str
    version: int
    document: dict[str, Any]
    """A part of JSON Schema 2020-12; docs/operate/context.md says which."""
    added_at: datetime
    added_by: str

    @classmethod
    def of(cls, known: schema.ModelSchema) -> Self:
        """Show a schema of the registry."""
        return cls(
            tenant=known.tenant,
            model=known.model,
            version=known.version,
            document=dict(known.document),
            added_at=known.added_at,
            added_by=known.added_by,
        )


class LineFault(Document):
    """A line that cannot be taken."""

    line: int
    reason: str


class ImportReport(Document):
    """What an import of contexts did, or would do."""

    lines: int
    changed: int
    """Devices whose context is another now."""
    wrong: int
    faults: list[LineFault]
    """The first thousand wrong lines."""
