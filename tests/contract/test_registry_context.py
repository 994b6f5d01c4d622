# SPDX-License-Identifier: Apache-2.0
"""Contexts, schemas and twins, on every registry."""

from dataclasses import replace

from contract.registry_suite import (
    LATER,
    NOW,
    add_tenants,
    device,
    device_id,
    opened,
)
from homeport.domain.context.context import Context, Location
from homeport.domain.context.schema import ModelSchema
from homeport.domain.context.twin import Twin
from homeport.errors import Code

__all__ = ["opened"]

HOSTILE = "'; DROP TABLE devices; -- \\u0000 {{7*7}} =cmd|' /C calc'!A0 ٪ 💥 \u202e <script>"


def context(**changes):
    known = Context(
        device=device_id(),
        tenant="acme",
        name="Pump 3",
        tags=("hall-2", "north"),
        location=Location(text="Hall 2", latitude=48.137154, longitude=-11.576124),
        attributes={"floor": 2, "limits": {"low": 1.5, "on": True}, "names": ["a", None]},
        version=1,
        changed_at=NOW,
    )
    return replace(known, **changes)


def twin(**changes):
    return replace(Twin(device=device_id(), tenant="acme", version=1, changed_at=NOW), **changes)


def put_devices(opened, *serial_numbers):
    async def verb(tx):
        await add_tenants(tx)
        for serial_number in serial_numbers:
            await tx.devices.put(device(serial_number, tenant="acme"))

    opened.do(verb)


def test_a_context_is_returned_as_it_was_kept(opened):
    put_devices(opened, "SN-0001")
    assert opened.see(lambda tx: tx.contexts.get(device_id())) is None
    for kept in (context(), context(name=HOSTILE, tags=(HOSTILE,), version=2), context(tags=())):
        opened.do(lambda tx, kept=kept: tx.contexts.put(kept))
        assert opened.see(lambda tx: tx.contexts.get(device_id())) == kept
    opened.do(lambda tx: tx.contexts.remove(device_id()))
    opened.do(lambda tx: tx.contexts.remove(device_id()))
    assert opened.see(lambda tx: tx.contexts.get(device_id())) is None


def test_text_in_attributes_is_kept_octet_for_octet(opened):
    put_devices(opened, "SN-0001")
    attributes = {HOSTILE: HOSTILE, "zero": "a\0b\n\r\x1b[31m", "big": 2**53 - 1, "small": 5e-324}
    opened.do(lambda tx: tx.contexts.put(context(attributes=attributes)))
    assert opened.see(lambda tx: tx.contexts.get(device_id())).attributes == attributes


def test_what_is_no_unicode_is_refused_and_nothing_kept(opened):
    put_devices(opened, "SN-0001")
    for wrong in (context(name="half \ud800"), context(attributes={"a": "half \ud800"})):
        opened.refuses(Code.MALFORMED, lambda tx, wrong=wrong: tx.contexts.put(wrong))
    assert opened.see(lambda tx: tx.contexts.get(device_id())) is None


def test_nothing_is_kept_of_a_device_that_is_not_there(opened):
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.contexts.put(context()))
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.twins.put(twin()))


def test_a_tenant_s_contexts_come_page_by_page(opened):
    put_devices(opened, *(f"SN-000{number}" for number in range(5)))
    for number, tenant in enumerate(("acme", "bolt", "acme", "acme", "bolt")):
        kept = context(device=device_id(f"SN-000{number}"), tenant=tenant)
        opened.do(lambda tx, kept=kept: tx.contexts.put(kept))

    def page(after):
        found = opened.see(lambda tx: tx.contexts.page("acme", after=after, limit=2))
        return [each.device.serial_number for each in found]

    assert page(None) == ["SN-0000", "SN-0002"]
    assert page(device_id("SN-0002")) == ["SN-0003"]
    assert page(device_id("SN-0003")) == []


def test_the_newest_schema_counts_and_the_old_ones_stay(opened):
    opened.do(add_tenants)
    first = ModelSchema(
        tenant="acme", model="gateway", version=1, document={"type": "object"}, added_at=NOW,
        added_by="ann",
    )  # fmt: skip
    second = replace(first, version=10, document={"type": "object", "title": HOSTILE})
    for schema in (first, second, replace(first, version=9), replace(first, model="other")):
        opened.do(lambda tx, schema=schema: tx.schemas.add(schema))
    assert opened.see(lambda tx: tx.schemas.latest("acme", "gateway")) == second
    versions = opened.see(lambda tx: tx.schemas.versions("acme", "gateway"))
    assert [each.version for each in versions] == [10, 9, 1]
    assert opened.see(lambda tx: tx.schemas.latest("bolt", "gateway")) is None
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.schemas.add(first))
    opened.refuses(Code.TENANT_UNKNOWN, lambda tx: tx.schemas.add(replace(first, tenant="nobody")))


def test_a_twin_is_returned_as_it_was_kept(opened):
    put_devices(opened, "SN-0001")
    assert opened.see(lambda tx: tx.twins.get(device_id())) is None
    full = twin(
        desired={"interval": 60, "text": HOSTILE},
        version=2**53 - 1,
        pushed=7,
        kept_for="acme",
        reported={"firmware": {"version": "1.2"}},
        reported_at=LATER,
        series="abc",
        counter=2**53 - 1,
        applied=6,
    )
    for kept in (twin(), full, twin(tenant=None, version=9)):
        opened.do(lambda tx, kept=kept: tx.twins.put(kept))
        assert opened.see(lambda tx: tx.twins.get(device_id())) == kept


def test_what_the_broker_does_not_have_yet_is_found_page_by_page(opened):
    put_devices(opened, *(f"SN-000{number}" for number in range(5)))
    for number, pushed in enumerate((0, 3, 2, 2, 3)):
        kept = twin(device=device_id(f"SN-000{number}"), version=3, pushed=pushed)
        opened.do(lambda tx, kept=kept: tx.twins.put(kept))

    def page(after):
        found = opened.see(lambda tx: tx.twins.unpushed(after=after, limit=2))
        return [each.device.serial_number for each in found]

    assert page(None) == ["SN-0000", "SN-0002"]
    assert page(device_id("SN-0002")) == ["SN-0003"]


def test_contexts_are_found_by_tag_and_by_how_their_name_begins(opened):
    names = ["Pump 3", "pump 1", "Fan", "PUMP 2", "Pump 3", "Straße"]
    put_devices(opened, *(f"SN-000{number}" for number in range(6)))
    for number, name in enumerate(names):
        kept = context(
            device=device_id(f"SN-000{number}"),
            tenant="bolt" if number == 4 else "acme",
            name=name,
            tags=("all", "even") if number % 2 == 0 else ("all",),
        )
        opened.do(lambda tx, kept=kept: tx.contexts.put(kept))

    def tagged(tag, after=None):
        found = opened.see(lambda tx: tx.contexts.tagged("acme", tag, after=after, limit=3))
        return [each.device.serial_number for each in found]

    def named(beginning, after=None, limit=2):
        found = opened.see(
            lambda tx: tx.contexts.named("acme", beginning, after=after, limit=limit)
        )
        return [each.device.serial_number for each in found]

    assert tagged("even") == ["SN-0000", "SN-0002"]
    assert tagged("all") == ["SN-0000", "SN-0001", "SN-0002"]
    assert tagged("all", device_id("SN-0002")) == ["SN-0003", "SN-0005"]
    assert tagged("none") == []
    assert named("pump") == ["SN-0001", "SN-0003"]
    assert named("pump", device_id("SN-0003")) == ["SN-0000"]
    assert named("STRASSE") == ["SN-0005"]
    assert len(named("", limit=9)) == 5
    opened.do(lambda tx: tx.contexts.put(context(tags=(), version=2)))
    assert tagged("all") == ["SN-0000", "SN-0002", "SN-0003"]


def test_a_cursor_of_another_tenant_tells_nothing_of_its_name(opened):
    put_devices(opened, "SN-0001")
    strange = device_id("SN-0002")

    async def fill(tx):
        await tx.devices.put(device("SN-0002", tenant="bolt"))
        await tx.contexts.put(context(name="pump 1"))
        await tx.contexts.put(context(device=strange, tenant="bolt", name="pump 2"))

    def named():
        return opened.see(lambda tx: tx.contexts.named("acme", "pump", after=strange, limit=2))

    opened.do(fill)
    below = named()
    opened.do(lambda tx: tx.contexts.put(context(name="pump 3", version=2)))
    assert [len(below), len(named())] == [1, 1]
