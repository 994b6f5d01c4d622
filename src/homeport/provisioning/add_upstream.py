# SPDX-License-Identifier: Apache-2.0
"""Add an upstream: our own broker (once, at first start), or another platform."""

from datetime import datetime

from homeport.address import platform_url
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.tenant import check_name
from homeport.domain.upstream import OURS, Upstream, UpstreamKind
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def add_own_upstream(tx: Transaction, *, now: datetime) -> None:
    """Make sure that this platform's own broker can be chosen."""
    if await tx.upstreams.get(OURS) is None:
        await _add(tx, Upstream(name=OURS, kind=UpstreamKind.OURS, added_at=now), "platform")


async def add_platform(
    tx: Transaction, name: str, *, url: str, anchor: bytes, actor: str, now: datetime
) -> Upstream:
    """Add another platform: its base URL and its domain certificate (DER).

    HomeportError(ALREADY_EXISTS), or MalformedError for its name or URL: devices go to https only.
    """
    check_name(name, "upstream")
    url = platform_url(url)
    if await tx.upstreams.get(name) is not None:
        raise HomeportError(Code.ALREADY_EXISTS, f"upstream {name}")
    upstream = Upstream(name=name, kind=UpstreamKind.PLATFORM, url=url, anchor=anchor, added_at=now)
    await _add(tx, upstream, actor)
    return upstream


async def _add(tx: Transaction, upstream: Upstream, actor: str) -> None:
    await tx.upstreams.add(upstream)
    facts = {"upstream": upstream.name, "kind": str(upstream.kind)}
    await tx.audit.record(
        AuditEvent(name=Name.UPSTREAM_ADDED, at=upstream.added_at, actor=actor, facts=facts)
    )
