# SPDX-License-Identifier: Apache-2.0
"""What happened, and the signed heads of the chain over it, as the people's door says it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from homeport.api.wire.model import Document
from homeport.domain.audit import AuditEvent
from homeport.domain.trail.lines import document_of

Text = Annotated[str, Field(max_length=10_000)]
Hex256 = Annotated[str, Field(max_length=64, pattern="^[0-9a-f]{64}$")]


class Event(Document):
    """One fact, recorded. docs/reference/audit-events.md has all names."""

    cursor: int
    """Its place in the trail; grows."""
    name: Text
    """Such as `device:assigned`."""
    at: datetime
    actor: Text
    """Who did it: "device", "platform", "broker", or a person's or program's name."""
    tenant: Text | None
    """Whose affair it was; null: the platform's own, or of a device that had no owner yet."""
    device: Text | None
    enrolment: Text | None
    facts: dict[str, str | int]
    """Particulars."""
    story: Text
    """The fact as a clause that people read."""

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        """Write the event."""
        return cls.model_validate(document_of(event) | {"story": event.story()})


class Head(Document):
    """A head of the audit trail's hash chain: docs/understand/audit-trail.md."""

    number: int
    first: int
    last: int
    """Cursors of the events since the head before."""
    count: int
    head: Hex256
    """Link of the chain after them."""
    at: datetime
    jws: Mapping[str, Any]
    """The signed statement, flattened JSON: keep this."""
