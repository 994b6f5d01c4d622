# SPDX-License-Identifier: Apache-2.0
"""The verbs about contexts, schemas and twins, over the registry in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fakes.in_loop import in_loop
from fakes.registry import FakeRegistry
from homeport.domain.audit import Name
from homeport.domain.context.context import Context
from homeport.domain.context.schema import Misfit, ModelSchema
from homeport.domain.context.twin import Report, Twin
from homeport.domain.device import Device, DeviceId
from homeport.domain.tenant import Tenant
from homeport.errors import Code, HomeportError
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.context.change_desired import change_desired
from homeport.provisioning.context.change_schema import change_schema
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.context.held import context_of, twin_of
from homeport.provisioning.context.move_context import move_context
from homeport.provisioning.context.push import note_pushed, waiting_pushes
from homeport.provisioning.context.take_report import take_report
from homeport.provisioning.context.view import ContextView, view_context

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DEVICE = Device(
    id=DeviceId("a" * 16, "EX-1"),
    model="pump",
    hardware_identity="file",
    minted=True,
    idevid_fingerprint="00" * 32,
    tenant="acme",
    epoch=1,
    registered_at=NOW,
)
OTHER = replace(DEVICE, id=DeviceId("a" * 16, "EX-2"))
SCHEMA = {"type": "object", "properties": {"floor": {"type": "integer"}}}


class World:
    """A registry with two devices of one tenant, and the verbs as one calls them."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()
        rows = self.registry.rows
        for name in ("acme", "bolt"):
            rows.tenants[name] = Tenant(name=name, title=name, default_upstream="x", added_at=NOW)
        for device in (DEVICE, OTHER):
            rows.devices[device.id] = device

    @property
    def events(self) -> list[tuple[Name, str | None]]:
        return [(event.name, event.tenant) for event in self.registry.rows.audit]

    async def context(
        self, patch: dict[str, object], version: int | None = None, device: Device = DEVICE
    ) -> Context:
        return await self.registry.transact(
            lambda tx: change_context(tx, device, patch, if_version=version, actor="ann", now=NOW)
        )

    async def desired(
        self, patch: dict[str, object], version: int | None = None, device: Device = DEVICE
    ) -> Twin:
        return await self.registry.transact(
            lambda tx: change_desired(tx, device, patch, if_version=version, actor="ann", now=NOW)
        )

    async def schema(self, document: object, version: int | None = None) -> ModelSchema:
        schema = ModelSchema(
            tenant="acme",
            model="pump",
            version=0,
            document=document,  # type: ignore[arg-type]
            added_at=NOW,
            added_by="ann",
        )
        return await self.registry.transact(
            lambda tx: change_schema(tx, schema, if_version=version)
        )

    async def report(self, *, at: datetime = NOW, tenant: str = "acme", **said: object) -> bool:
        report = Report(**{"series": "s", "counter": 1, **said})  # type: ignore[arg-type]
        return await self.registry.transact(
            lambda tx: take_report(tx, tenant=tenant, device=DEVICE.id, report=report, at=at)
        )

    async def view(self, device: Device = DEVICE) -> ContextView:
        return await self.registry.read(lambda tx: view_context(tx, device))

    async def twin(self, device: Device = DEVICE) -> Twin:
        return await self.registry.read(lambda tx: twin_of(tx, device))

    async def waiting(self) -> list[tuple[str, str | None, int]]:
        pushes = await self.registry.read(lambda tx: waiting_pushes(tx, after=None, limit=9))
        return [(p.twin.device.serial_number, p.tenant, p.twin.version) for p in pushes]

    async def push_all(self) -> None:
        async def verb(tx: object) -> None:
            pushes = await waiting_pushes(tx, after=None, limit=9)  # type: ignore[arg-type]
            await note_pushed(tx, pushes)  # type: ignore[arg-type]

        await self.registry.transact(verb)

    def give_away(self, tenant: str | None) -> Device:
        device = replace(DEVICE, tenant=tenant)
        self.registry.rows.devices[DEVICE.id] = device
        return device


@pytest.fixture
def world() -> World:
    return World()


async def code_of(work):
    with pytest.raises(HomeportError) as refused:
        await work
    return refused.value.code


@in_loop
async def test_a_context_grows_patch_by_patch(world: World) -> None:
    await world.context({"name": "Pump 3", "tags": ["a"], "attributes": {"floor": 1, "x": 2}})
    second = await world.context({"attributes": {"x": None}, "location": {"text": "Hall"}})
    assert second.document() == {
        "name": "Pump 3",
        "tags": ["a"],
        "location": {"text": "Hall"},
        "attributes": {"floor": 1},
    }
    assert second.version == 2
    assert world.events == [(Name.CONTEXT_CHANGED, "acme")] * 2
    assert "attributes, location" in world.registry.rows.audit[1].story()


@in_loop
async def test_a_patch_that_changes_nothing_leaves_no_trace(world: World) -> None:
    await world.context({"name": "Pump 3"})
    await world.desired({"a": 1})
    before = world.registry.rows.copy()
    assert (await world.context({"name": "Pump 3", "tags": []})).version == 1
    assert (await world.desired({"a": 1, "b": None})).version == 2
    assert world.registry.rows == before


@in_loop
async def test_of_two_who_change_the_same_version_one_is_told(world: World) -> None:
    await world.context({"name": "Pump 3"}, version=0)
    assert await code_of(world.context({"name": "Mine"}, version=0)) is Code.CHANGED_MEANWHILE
    twin = await world.desired({"a": 1}, version=1)
    assert await code_of(world.desired({"a": 2}, version=1)) is Code.CHANGED_MEANWHILE
    assert (await world.desired({"a": 2}, version=twin.version)).desired == {"a": 2}
    await world.schema(SCHEMA, version=0)
    assert await code_of(world.schema({"type": "object"}, version=0)) is Code.CHANGED_MEANWHILE


@in_loop
async def test_only_an_owner_can_say_something(world: World) -> None:
    unowned = replace(DEVICE, tenant=None)
    assert await code_of(world.context({}, device=unowned)) is Code.TRANSITION_ILLEGAL
    assert await code_of(world.desired({}, device=unowned)) is Code.TRANSITION_ILLEGAL


@in_loop
async def test_what_the_device_is_told_gets_a_new_version_what_it_is_not_does_not(
    world: World,
) -> None:
    await world.desired({"a": 1})
    await world.context({"tags": ["hall-2"]})
    assert (await world.twin()).version == 1
    await world.context({"attributes": {"floor": 2}})
    twin = await world.twin()
    assert (twin.version, twin.desired) == (2, {"a": 1})


@in_loop
async def test_attributes_must_fit_the_schema_and_a_new_schema_shows_what_does_not(
    world: World,
) -> None:
    assert (await world.schema(SCHEMA)).version == 1
    assert (await world.schema(SCHEMA)).version == 1, "the same again is no change"
    refused = world.context({"attributes": {"floor": "2"}})
    assert await code_of(refused) is Code.ATTRIBUTE_MISFIT
    await world.context({"attributes": {"floor": 2, "colour": "red"}})
    assert (await world.view()).misfits == []

    await world.schema({**SCHEMA, "additionalProperties": False, "required": ["serial"]})
    view = await world.view()
    assert view.context.attributes == {"floor": 2, "colour": "red"}
    assert view.schema_version == 2
    assert list(view.misfits) == [
        Misfit("colour", "is not in the schema"),
        Misfit("serial", "is required"),
    ]
    await world.context({"name": "still", "attributes": {"floor": 3}})
    assert await code_of(world.context({"attributes": {"size": 1}})) is Code.ATTRIBUTE_MISFIT
    assert (await world.view(OTHER)).context.document() == {}


@in_loop
async def test_reports_are_taken_once_and_told_when_something_was_applied(world: World) -> None:
    await world.desired({"a": 1})
    assert await world.report(counter=1, document={"firmware": "1"})
    assert await world.report(counter=2, patch={"uptime": 5}, applied=1)
    assert not await world.report(counter=2, patch={"uptime": 6}, at=NOW + SECOND)
    assert await world.report(counter=3, applied=7), "a false claim is passed over"
    twin = await world.twin()
    assert (twin.reported, twin.applied) == ({"firmware": "1", "uptime": 5}, 1)
    assert world.events == [(Name.TWIN_CHANGED, "acme"), (Name.TWIN_APPLIED, "acme")]


@in_loop
async def test_a_report_of_another_owner_s_time_does_not_count(world: World) -> None:
    assert not await world.report(tenant="bolt", document={"a": 1})
    world.give_away("bolt")
    assert not await world.report(document={"a": 1})
    assert world.registry.rows.twins == {}


@in_loop
async def test_the_next_owner_sees_nothing_of_the_one_before(world: World) -> None:
    await world.context({"name": "Secret", "attributes": {"door": "1234"}})
    await world.desired({"a": 1})
    await world.report(document={"b": 1})
    await world.push_all()
    taken = world.give_away("bolt")  # even if nobody had forgotten anything
    assert (await world.view(taken)).context.document() == {}
    twin = await world.twin(taken)
    assert (twin.desired, twin.reported, twin.tenant) == ({}, {}, "bolt")
    told = await world.desired({"c": 1}, device=taken)
    assert (told.desired, told.kept_for) == ({"c": 1}, "acme")
    assert told.version > twin.version - 1 > 0


@in_loop
async def test_forgetting_takes_everything_but_the_version(world: World) -> None:
    await world.context({"name": "Pump 3"})
    await world.push_all()
    for _ in range(2):
        await world.registry.transact(lambda tx: forget_context(tx, DEVICE, actor="ann", now=NOW))
    assert world.events == [(Name.CONTEXT_CHANGED, "acme"), (Name.CONTEXT_FORGOTTEN, "acme")]
    assert world.registry.rows.contexts == {}
    assert await world.waiting() == [("EX-1", None, 2)]
    await world.push_all()
    assert await world.waiting() == []
    assert (await world.desired({"a": 1})).version == 4


@in_loop
async def test_a_device_that_replaces_another_gets_its_context(world: World) -> None:
    await world.context({"name": "Pump 3", "tags": ["hall"], "attributes": {"floor": 2}})
    await world.desired({"a": 1})
    await world.report(document={"b": 1})
    await world.context({"name": "spare"}, device=OTHER)
    await world.registry.transact(lambda tx: move_context(tx, DEVICE, OTHER, actor="ann", now=NOW))
    moved = await world.registry.read(lambda tx: context_of(tx, OTHER))
    assert moved.document() == {"name": "Pump 3", "tags": ["hall"], "attributes": {"floor": 2}}
    assert moved.version == 2
    twin = await world.twin(OTHER)
    assert (twin.desired, twin.reported, twin.version) == ({"a": 1}, {}, 2)
    assert (await world.view()).context.document() == {}
    assert world.events[-2:] == [
        (Name.CONTEXT_CHANGED, "acme"),
        (Name.CONTEXT_FORGOTTEN, "acme"),
    ]


@in_loop
async def test_what_changes_while_it_is_pushed_goes_on_waiting(world: World) -> None:
    await world.desired({"a": 1})
    pushes = await world.registry.read(lambda tx: waiting_pushes(tx, after=None, limit=9))
    await world.desired({"a": 2})
    await world.registry.transact(lambda tx: note_pushed(tx, pushes))
    assert await world.waiting() == [("EX-1", "acme", 2)]
    await world.push_all()
    assert await world.waiting() == []
