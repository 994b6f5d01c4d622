# SPDX-License-Identifier: Apache-2.0
"""Server-sent events over the real web server and the real registry: who is told what, and when."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, until
from fakes.event_reader import EventReader, event_reader
from fakes.in_loop import in_loop
from fakes.people_door import CALLER_HEADER, OPERATOR, ByHeader, member
from fakes.sealed_trail import MAKER, NOW, record
from homeport.api import PREFIX
from homeport.api.server import event_stream as stream_module
from homeport.api.server.app import make_app
from homeport.api.server.event_hub import OF_ONE_CALLER, EventHub
from homeport.api.server.parts import Parts
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device, DeviceId
from homeport.domain.people import Caller, Role
from homeport.domain.tenant import Tenant
from homeport.provisioning.ports import Registry, Transaction
from homeport.server.listeners import Listener, Place
from homeport.storage.sqlite import SqliteRegistry

ADMIN = member(Role.ADMIN, "acme")


@dataclass
class Scene:
    registry: Registry
    hub: EventHub
    people: ByHeader
    port: int
    stop: asyncio.Event

    @asynccontextmanager
    async def reading(
        self, caller: Caller = OPERATOR, query: str = "", **headers: str
    ) -> AsyncIterator[EventReader]:
        self.people.callers[caller.actor] = caller
        known = {CALLER_HEADER: caller.actor}
        path = f"{PREFIX}/events{query}"
        async with event_reader(self.port, path, **known, **headers) as reader:
            yield reader

    async def tell(self, *events: AuditEvent) -> None:
        await self.registry.transact(lambda tx: tx.audit.record(*events))

    @property
    def open(self) -> int:
        return self.hub.open


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    async with SqliteRegistry(directory / "registry.sqlite") as registry:
        hub, people, stop = EventHub(registry, CLOCK), ByHeader(), asyncio.Event()
        parts = Parts(
            registry=registry,
            authenticator=people,
            clock=CLOCK,
            noted=lambda _scope, _error: None,
            events=hub,
        )
        place = Place(name="door", host="127.0.0.1", port=0, setting="listen.port")
        listener = Listener(make_app(parts), place, ending=hub.end_streams)
        listener.bind()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(hub.follow())
            serving = group.create_task(listener.serve(stop))
            yield Scene(registry, hub, people, listener.port, stop)
            stop.set()
            await serving
            following.cancel()


def event(tenant: str | None = "acme", **changes: object) -> AuditEvent:
    known = {"name": Name.DEVICE_ASSIGNED, "at": NOW, "actor": "ann", "tenant": tenant}
    known |= {"device": DeviceId(MAKER, "SN-1")}
    return AuditEvent(**(known | changes))  # type: ignore[arg-type]


async def fill(tx: Transaction) -> None:
    for name in ("acme", "bolt"):
        await tx.tenants.add(Tenant(name=name, title=name, default_upstream="x", added_at=NOW))
        await tx.devices.put(
            Device(
                id=DeviceId(MAKER, f"OF-{name}"),
                model="m",
                hardware_identity="file",
                minted=False,
                idevid_fingerprint=None,
                tenant=name,
                registered_at=NOW,
            )
        )


@in_loop
async def test_what_happens_is_told_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.reading() as reader:
        assert reader.status == 200
        assert "content-type: text/event-stream" in reader.head
        assert "cache-control: no-store" in reader.head
        delays = []
        for cursor in range(1, 6):
            await until(lambda: here.open == 1)
            began = time.monotonic()
            await record(here.registry, 1)
            assert await reader.take(1) == [cursor]
            delays.append(time.monotonic() - began)
        assert sorted(delays)[2] < 1, "a browser sees it within a second"


@in_loop
async def test_a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        seen: list[int] = []
        last = "0"
        for count in (3, 4, 1200, 2):  # away; it also falls behind what is kept in memory
            await record(here.registry, count)
            async with here.reading(last_event_id=last) as reader:
                seen += await reader.take(1)
                await record(here.registry, 1)
                seen += await reader.take(max(1, count - 2))
                last = str(reader.last_id)
        async with here.reading(last_event_id=last) as reader:
            seen += await reader.take(1213 - len(seen))
        assert seen == list(range(1, 1214))


@in_loop
async def test_after_says_where_to_begin_and_the_last_event_id_wins(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await record(here.registry, 9)
        async with here.reading(query="?after=6") as reader:
            assert await reader.take(3) == [7, 8, 9]
        async with here.reading(query="?after=2", last_event_id="8") as reader:
            assert await reader.take(1) == [9]
        async with here.reading(query="?after=99999") as reader:  # another history's
            await until(lambda: here.open == 1)
            await record(here.registry, 1)
            assert await reader.take(1) == [10]
        for wrong in ("-1", "x", "1" * 30):
            async with here.reading(query=f"?after={wrong}") as reader:
                assert reader.status == 400


@in_loop
async def test_two_tenants_never_see_each_others_events(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await here.registry.transact(fill)
        bolt = member(Role.ADMIN, "bolt")
        async with (
            here.reading(ADMIN, "?after=0") as ours,
            here.reading(bolt, "?after=0") as theirs,
            here.reading(OPERATOR, "?after=0") as all_of_it,
        ):
            for _ in range(2):  # from the registry first, from memory then
                await here.tell(
                    event("acme"),
                    event("bolt"),
                    event(None, device=DeviceId(MAKER, "OF-acme")),
                    event(None, device=DeviceId(MAKER, "OF-bolt")),
                    event(None, device=DeviceId(MAKER, "OF-nobody")),
                    event(None, device=None, name=Name.MANIFEST_IMPORTED),
                )
            assert await ours.take(4) == [1, 3, 7, 9]
            assert await theirs.take(4) == [2, 4, 8, 10]
            assert await all_of_it.take(12) == list(range(1, 13))


@in_loop
async def test_who_may_read_devices_only_is_told_of_devices_only(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        viewer = member(Role.VIEWER, "acme")
        async with here.reading(viewer, "?after=0") as reader:
            await here.tell(event("acme", device=None, name=Name.TENANT_ADDED), event("acme"))
            assert await reader.take(1) == [2]
            await here.tell(event("acme", device=None, name=Name.TENANT_ADDED), event("acme"))
            assert await reader.take(1) == [4]


@in_loop
async def test_filters(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        other = DeviceId(MAKER, "SN-2")
        query = f"?after=0&tenant=acme&device={other}&name=device:assigned&name=tenant:added"
        async with here.reading(ADMIN, query) as reader:
            await here.tell(
                event(),
                event(device=other, name=Name.CREDENTIAL_REVOKED),
                event(device=other),
                event("bolt", device=other),
            )
            assert await reader.take(1) == [3]
        for wrong in ("?tenant=bolt", "?tenant=nobody"):
            async with here.reading(ADMIN, wrong) as reader:
                assert reader.status == 404
        async with here.reading(ADMIN, "?name=device:melted") as reader:
            assert reader.status == 400


@in_loop
async def test_a_demoted_members_stream_ends_before_another_word(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.reading(ADMIN) as reader:
        await until(lambda: here.open == 1)
        await record(here.registry, 1)
        assert await reader.take(1) == [1]
        here.people.callers[ADMIN.actor] = Caller(actor=ADMIN.actor, roles={"acme": Role.VIEWER})
        await record(here.registry, 4)
        assert await reader.end() == ([], "what you may see has changed")
        await until(lambda: here.open == 0)


@in_loop
async def test_a_session_that_ends_ends_its_stream_also_when_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "ASK_AGAIN", timedelta(milliseconds=50))
    async with scene(tmp_path) as here, here.reading(ADMIN) as reader:
        await until(lambda: here.open == 1)
        del here.people.callers[ADMIN.actor]
        assert await reader.end() == ([], "sign-in-needed")
        async with here.reading(member(Role.ADMIN, "bolt")) as other:
            assert other.status == 200


@in_loop
async def test_nobody_is_told_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, event_reader(here.port, f"{PREFIX}/events") as reader:
        assert reader.status == 401


@in_loop
async def test_a_sign_of_life_moves_the_cursor_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT", timedelta(milliseconds=50))
    monkeypatch.setattr(stream_module, "ASK_AGAIN", timedelta(milliseconds=20))
    async with scene(tmp_path) as here, here.reading(ADMIN, "?tenant=acme") as reader:
        await until(lambda: here.open == 1)
        await here.tell(*[event("bolt")] * 7)

        async def listen() -> None:
            async for _ in reader.said():
                pass

        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            await until(lambda: reader.last_id == "7", seconds=10)
            listening.cancel()


@in_loop
async def test_one_caller_has_so_many_streams_and_gets_them_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        readers = [here.reading(ADMIN) for _ in range(OF_ONE_CALLER)]
        opened = [await reader.__aenter__() for reader in readers]
        await until(lambda: here.open == OF_ONE_CALLER)
        async with here.reading(ADMIN) as refused:
            assert refused.status == 429
            assert "retry-after" in refused.head
        async with here.reading(member(Role.ADMIN, "bolt")) as other:
            assert other.status == 200
        opened[0].close()
        await until(lambda: here.open == OF_ONE_CALLER - 1, seconds=10)
        async with here.reading(ADMIN) as again:
            assert again.status == 200
        for reader in readers:
            await reader.__aexit__(None, None, None)
        await until(lambda: here.open == 0, seconds=10)


@in_loop
async def test_the_platform_ends_with_streams_open(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.reading() as reader, here.reading(ADMIN) as other:
        await until(lambda: here.open == 2)
        began = time.monotonic()
        here.stop.set()
        assert (await reader.end())[1] == "come back"
        assert (await other.end())[1] == "come back"
        await until(lambda: here.open == 0)
        assert time.monotonic() - began < 5, "well within the grace period"


@in_loop
async def test_a_slow_reader_costs_a_page_and_loses_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.reading(query="?after=0") as slow:
        await until(lambda: here.open == 1)
        for _ in range(10):
            await record(here.registry, 1000)
        async with here.reading(query="?after=9990") as quick:
            assert await quick.take(10) == list(range(9991, 10_001))
        assert len(here.hub._recent) <= 2000
        assert await slow.take(10_000, seconds=60) == list(range(1, 10_001))
