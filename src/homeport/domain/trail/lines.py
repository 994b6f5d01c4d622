# SPDX-License-Identifier: Apache-2.0
"""An audit event as JSON: the one form in which it leaves the platform, and back again.

    {"cursor":17,"name":"device:assigned","at":"2026-11-24T12:00:00.123456Z","actor":"operator ann",
     "tenant":"acme","device":"…","enrolment":null,"facts":{"tenant":"acme",…}}

Exports, server-sent events and NATS messages carry it. It has all that the chain is made from.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeport.domain.audit import AuditEvent
from homeport.domain.trail.chain import KeptEvent, canonical_facts
from homeport.errors import MalformedError

SUBJECTS: Final = "hp-events"
"""First level of the events' NATS subjects. Not below `hp`: no device may ever read there."""

PLATFORM: Final = "_platform"
"""In the tenant's place, for events that are no tenant's affair."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def document_of(event: AuditEvent) -> dict[str, Any]:
    """Return the event for JSON."""
    return {
        "cursor": event.cursor,
        "name": event.name.value,
        "at": written(event.at),
        "actor": event.actor,
        "tenant": event.tenant,
        "device": None if event.device is None else str(event.device),
        "enrolment": event.enrolment,
        "facts": dict(event.facts),
    }


def subject_of(event: AuditEvent) -> str:
    """Return the event's NATS subject: `hp-events.<tenant or _platform>.<subject>.<action>`.

    No tenant's name begins with an underscore, so nobody can be called what the platform is.
    """
    return f"{SUBJECTS}.{event.tenant or PLATFORM}.{event.name.value.replace(':', '.')}"


def document_of_kept(event: KeptEvent) -> dict[str, Any]:
    """Return an event for JSON as it is kept; what a hostile hand left is written as it stands."""
    document = event._asdict()
    try:
        document["at"] = written(_EPOCH + event.at * _MICROSECOND)
        document["facts"] = json.loads(event.facts)
    except (ValueError, TypeError, OverflowError):
        pass
    return {name: value if _is_plain(value) else repr(value) for name, value in document.items()}


def kept_of_document(document: Mapping[str, Any]) -> KeptEvent:
    """Return the event as it is kept; raise MalformedError for what is no event."""
    try:
        fields = {name: document[name] for name in KeptEvent._fields}
        facts, at = fields["facts"], fields["at"]
        if isinstance(facts, dict):
            fields["facts"] = canonical_facts(facts)
        fields["at"] = _micros(at) if isinstance(at, str) else at
        event = KeptEvent(**fields)
        event.cursor.to_bytes(8, "big", signed=True)
    except (KeyError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise MalformedError(f"no event: {error}") from None
    return event


def written(at: datetime) -> str:
    """Return the instant in ISO 8601, UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _micros(at: str) -> int | str:
    """Return the microseconds since 1970; text that is no instant was kept so: as it stands."""
    try:
        return (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):
        return at


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | dict)
