# SPDX-License-Identifier: Apache-2.0
"""A device's context: name, tags, location and typed attributes.

It may come before, with or long after the device. As a document, which merge patches change:

    {"name": "Pump 3", "tags": ["hall-2"], "location": {"text": "Hall 2", "latitude": 48.1,
     "longitude": 11.6}, "attributes": {"floor": 2}}

What is empty is left out. Text is kept as it was given, or refused; never interpreted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from homeport.domain.context.document import Document, check_document
from homeport.domain.device import DeviceId
from homeport.errors import MalformedError

NAME_MAX: Final = 128
"""Characters of a device's name."""
TAGS_MAX: Final = 32
TAG_MAX: Final = 64
"""Characters of a tag."""
PLACE_MAX: Final = 256
"""Characters of a location's text."""
ATTRIBUTES_MAX: Final = 4096
"""Octets of the attributes as JSON: with name and location, half of what one message may be."""
_LATITUDE: Final = 90
_LONGITUDE: Final = 180

_MEMBERS: Final = frozenset({"name", "tags", "location", "attributes"})
_OF_LOCATION: Final = frozenset({"text", "latitude", "longitude"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a device is: words, coordinates (WGS 84, degrees), or both."""

    text: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def read(cls, document: object) -> Self:
        """Read its document, or MalformedError."""
        members = _members(document, "location", _OF_LOCATION)
        latitude = _degrees(members.get("latitude"), "latitude", _LATITUDE)
        longitude = _degrees(members.get("longitude"), "longitude", _LONGITUDE)
        if (latitude is None) != (longitude is None):
            raise MalformedError("latitude and longitude come together")
        return cls(
            text=_line(members.get("text", ""), "location", PLACE_MAX),
            latitude=latitude,
            longitude=longitude,
        )

    def document(self) -> dict[str, Any]:
        """Write it; empty if there is nothing to say."""
        members = {"text": self.text, "latitude": self.latitude, "longitude": self.longitude}
        return {name: value for name, value in members.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context of one device, in the hands of one tenant."""

    device: DeviceId
    tenant: str
    name: str = ""
    tags: tuple[str, ...] = ()
    """In order, each once."""
    location: Location = field(default_factory=Location)
    attributes: Document = field(default_factory=dict)
    version: int = 0
    """Grows by one with each change; 0: nothing was ever said."""
    changed_at: datetime

    def document(self) -> dict[str, Any]:
        """Write what people see and change."""
        members: dict[str, Any] = {
            "name": self.name,
            "tags": list(self.tags),
            "location": self.location.document(),
            "attributes": dict(self.attributes),
        }
        return {name: value for name, value in members.items() if value}

    def for_device(self) -> dict[str, Any]:
        """Write what the device is told: all but the tags, by which people find it."""
        return {name: value for name, value in self.document().items() if name != "tags"}


def read_context(
    document: object, *, device: DeviceId, tenant: str, version: int, changed_at: datetime
) -> Context:
    """Read a whole context, or MalformedError that says what is wrong with which part."""
    members = _members(document, "context", _MEMBERS)
    return Context(
        device=device,
        tenant=tenant,
        name=_line(members.get("name", ""), "name", NAME_MAX),
        tags=_tags(members.get("tags", [])),
        location=Location.read(members.get("location", {})),
        attributes=check_document(members.get("attributes", {}), "attributes", ATTRIBUTES_MAX),
        version=version,
        changed_at=changed_at,
    )


def _members(document: object, what: str, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise MalformedError(f"{what} is a JSON object")
    if unknown := document.keys() - known:
        shown = ", ".join(sorted(repr(name)[:60] for name in unknown))
        raise MalformedError(f"{what} has no {shown}; known: {', '.join(sorted(known))}")
    return document


def _line(value: object, what: str, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise MalformedError(f"a {what} is text of at most {limit} characters")
    if not value.isprintable() or value != value.strip():
        raise MalformedError(f"a {what} is printable, and has no blanks around it")
    return value


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > TAGS_MAX:
        raise MalformedError(f"tags are a list of at most {TAGS_MAX}")
    tags = {_line(tag, "tag", TAG_MAX) for tag in value}
    if "" in tags:
        raise MalformedError("a tag has at least one character")
    return tuple(sorted(tags))


def _degrees(value: object, what: str, limit: int) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not -limit <= value <= limit
    ):
        raise MalformedError(f"a {what} is a number from -{limit} to {limit}")
    return float(value)
