# SPDX-License-Identifier: Apache-2.0
"""Tenants and upstreams."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import StringConstraints

from homeport.api.wire.artefacts import Pem
from homeport.api.wire.model import Document, Name, Title
from homeport.domain import tenant, upstream
from homeport.domain.upstream import OURS, UpstreamKind

URL_MAX: Final = 2000


class NewTenant(Document):
    """A tenant to add."""

    name: Name
    """Stands in MQTT topics; cannot be changed."""
    title: Title = ""
    """As people write it; empty: the name."""
    upstream: Name = OURS
    """Default upstream of its devices."""


class TenantChange(Document):
    """What changes about a tenant; null: stays as it is."""

    title: Title | None = None
    upstream: Name | None = None
    """Default upstream; devices that have one keep it."""


class Tenant(Document):
    """Who owns devices."""

    name: str
    title: str
    upstream: str
    added_at: datetime

    @classmethod
    def of(cls, known: tenant.Tenant) -> Self:
        """Show a tenant of the registry."""
        return cls(
            name=known.name,
            title=known.title,
            upstream=known.default_upstream,
            added_at=known.added_at,
        )


class NewUpstream(Document):
    """Another platform to send devices to, each with a voucher."""

    name: Name
    url: Annotated[str, StringConstraints(max_length=URL_MAX, pattern=r"^https://[!-~]+$")]
    """Its base URL."""
    domain_certificate: Pem
    """Of its domain CA, PEM; vouchers must pin it."""


class Upstream(Document):
    """A system that devices are provisioned for."""

    name: str
    kind: UpstreamKind
    url: str | None
    """Base URL of another platform; null for this platform's broker."""
    added_at: datetime

    @classmethod
    def of(cls, known: upstream.Upstream) -> Self:
        """Show an upstream of the registry."""
        return cls(name=known.name, kind=known.kind, url=known.url, added_at=known.added_at)
