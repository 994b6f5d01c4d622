# SPDX-License-Identifier: Apache-2.0
import asyncio

import pytest

from fakes.people_door import PeopleDoor
from fakes.registry import FakeRegistry
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream, UpstreamKind


@pytest.fixture
def door():
    """A people's door over a registry in memory with the tenants acme and bolt."""
    with asyncio.Runner() as runner:
        door = PeopleDoor(FakeRegistry(), runner)
        runner.run(door.registry.transact(lambda tx: _begin(tx, door.clock.now())))
        yield door


async def _begin(tx, now):
    await tx.upstreams.add(Upstream(name="here", kind=UpstreamKind.OURS, added_at=now))
    for name in ("acme", "bolt"):
        await tx.tenants.add(
            Tenant(name=name, title=name.title(), default_upstream="here", added_at=now)
        )
