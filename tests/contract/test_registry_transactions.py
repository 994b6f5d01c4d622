# SPDX-License-Identifier: Apache-2.0
"""Transactions: all or nothing, one beside the other, and what hostile text does to them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contract.registry_suite import (
    NOW,
    add_tenants,
    all_devices,
    device,
    device_id,
    event,
    opened,
    run_of,
    sale,
)
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError, MalformedError

__all__ = ["opened"]

HOSTILE = [
    "'; DROP TABLE devices; --",
    '"',
    "\\",
    "%_*?[a-z]",
    "a\0b",
    "\0",
    "\ufeff\u202e",
    "😀🏳️\u200d🌈",
    "é",
    "e\u0301",
    "",
    " \n\t",
    "x" * 10_000,
    "{}${jndi:x}",
]


def test_the_result_of_a_verb_is_returned(opened):
    async def verb(tx):
        await add_tenants(tx)
        return len(await tx.tenants.all())

    assert opened.do(verb) == 3


def test_an_error_undoes_all_that_the_verb_wrote(opened):
    opened.do(add_tenants)

    async def verb(tx):
        await tx.devices.put(device(tenant="acme"))
        await tx.enrolments.put(run_of(1))
        await tx.sales.add(sale("SN-1", "SN-9"))
        await tx.audit.record(event(device=device_id()))
        raise HomeportError(Code.KEY_TAKEN)

    opened.refuses(Code.KEY_TAKEN, verb)

    async def look(tx):
        return (
            await tx.devices.get(device_id()),
            await tx.enrolments.latest(device_id()),
            await tx.sales.covering(device("SN-5")),
            await tx.audit.last(),
        )

    assert opened.see(look) == (None, None, None, 0)


def test_a_verb_sees_what_it_wrote_and_others_do_not_yet(opened):
    async def verb(tx):
        await tx.devices.put(device())
        assert await tx.devices.get(device_id()) == device()
        raise ValueError("undo")

    with pytest.raises(ValueError, match="undo"):
        opened.do(verb)
    assert opened.see(lambda tx: tx.devices.get(device_id())) is None


def test_verbs_at_the_same_time_do_not_lose_each_others_work(opened):
    async def count_up(tx):
        known = await tx.devices.get(device_id())
        await tx.devices.put(replace(known, epoch=known.epoch + 1))
        await tx.audit.record(event(device=known.id))
        return known.epoch + 1

    async def work():
        transact = opened.registry.transact
        return await asyncio.gather(*(transact(count_up) for _ in range(300)))

    opened.do(lambda tx: tx.devices.put(device()))
    assert sorted(opened.run(work())) == list(range(1, 301))
    assert opened.see(lambda tx: tx.devices.get(device_id())).epoch == 300
    assert len(opened.see(lambda tx: tx.audit.of_device(device_id()))) == 300


def test_a_verb_that_fails_does_not_take_others_with_it(opened):
    def verb(number):
        async def work(tx):
            await tx.devices.put(device(f"SN-{number}"))
            await tx.audit.record(event(device=device_id(f"SN-{number}")))
            if number % 3 == 0:
                raise ValueError(number)
            if number % 3 == 1:
                await tx.enrolments.put(run_of(1, device=device_id("SN-unknown")))
            return number

        return work

    async def work():
        verbs = [opened.registry.transact(verb(number)) for number in range(90)]
        return await asyncio.gather(*verbs, return_exceptions=True)

    results = opened.run(work())
    for number, result in enumerate(results):
        if number % 3 == 0:
            assert isinstance(result, ValueError)
            assert result.args == (number,)
        elif number % 3 == 1:
            assert isinstance(result, HomeportError)
            assert result.code is Code.DEVICE_UNKNOWN
        else:
            assert result == number
    kept = {known.id.serial_number for known in opened.see(all_devices)}
    assert kept == {f"SN-{number}" for number in range(90) if number % 3 == 2}
    told = {e.device.serial_number for e in opened.see(lambda tx: tx.audit.since(0))}
    assert told == kept


def test_a_verb_that_waits_for_anything_else_is_refused(opened):
    async def verb(tx):
        await tx.devices.put(device())
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="its transaction"):
        opened.do(verb)
    assert opened.see(lambda tx: tx.devices.get(device_id())) is None
    opened.do(lambda tx: tx.devices.put(device()))


def test_reading_does_not_write(opened):
    with pytest.raises(RuntimeError, match="tried to write"):
        opened.see(lambda tx: tx.devices.put(device()))
    assert opened.see(lambda tx: tx.devices.get(device_id())) is None


def test_a_caller_that_gives_up_stops_nobody(opened):
    async def work():
        async with asyncio.TaskGroup() as group:
            writing = opened.registry.transact(lambda tx: tx.audit.record(event()))
            given_up = group.create_task(writing)
            await asyncio.sleep(0)
            given_up.cancel()
            await opened.registry.transact(lambda tx: tx.devices.put(device()))
        return await opened.registry.read(lambda tx: tx.devices.get(device_id()))

    assert opened.run(work()) == device()


def test_the_version_changes_with_every_commit_and_only_then(opened):
    def version():
        return opened.run(opened.registry.version())

    seen = [version()]
    for number in range(5):
        opened.do(lambda tx, number=number: tx.devices.put(device(f"SN-{number}")))
        seen.append(version())
    assert len(set(seen)) == 6
    opened.see(lambda tx: tx.devices.get(device_id()))
    opened.do(lambda tx: tx.devices.get(device_id()))
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.enrolments.put(run_of(1)))
    assert version() == seen[-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_as_it_is(opened, text):
    opened.do(add_tenants)
    known = device(model=text, hardware_identity=text, upstream=text)
    run = run_of(1, id=text, request_id=text, key_hash=text)
    told = event(device=known.id, actor=text, enrolment=text, facts={"peer": text, text: 1})
    sold = sale("SN-0001", "SN-0001", source=text, upstream=text, reference=text)

    async def write(tx):
        await tx.devices.put(known)
        await tx.enrolments.put(run)
        await tx.sales.add(sold)
        await tx.audit.record(told)

    async def look(tx):
        assert await tx.devices.get(known.id) == known
        assert await tx.enrolments.with_key(known.id, text) == run
        assert replace(await tx.sales.covering(known), number=0) == sold
        assert [replace(e, cursor=0) for e in await tx.audit.since(0)] == [told]
        assert await tx.tenants.get(text) is None
        assert not await tx.devices.find(text)

    opened.do(write)
    opened.see(look)


def test_hostile_serial_numbers_name_different_devices(opened):
    serial_numbers = ["é", "e\u0301", "É", "'", '"', "=27", "%", "_", "%27", "😀", "a b", "a  b"]
    for serial in serial_numbers:
        opened.do(lambda tx, serial=serial: tx.devices.put(device(serial)))
    for serial in serial_numbers:
        found = opened.see(lambda tx, serial=serial: tx.devices.find(serial))
        assert [known.id.serial_number for known in found] == [serial]


def test_text_that_is_not_unicode_is_refused(opened):
    verbs = [
        lambda tx: tx.devices.put(device(model="\ud800")),
        lambda tx: tx.audit.record(event(), event(actor="\udfff")),
        lambda tx: tx.audit.record(event(facts={"peer": "\ud800"})),
    ]
    for verb in verbs:
        with pytest.raises(MalformedError):
            opened.do(verb)
    assert opened.see(lambda tx: tx.audit.last()) == 0


def test_instants_are_kept_to_the_microsecond(opened):
    instants = [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        NOW,
    ]
    for number, instant in enumerate(instants):
        known = device(str(number), registered_at=instant)
        opened.do(lambda tx, known=known: tx.devices.put(known))
        assert opened.see(lambda tx, known=known: tx.devices.get(known.id)) == known


def test_a_device_id_reads_back_from_the_timeline(opened):
    odd = DeviceId("a" * 16, "50% =/é😀")
    opened.do(lambda tx: tx.audit.record(event(device=odd)))
    assert opened.see(lambda tx: tx.audit.since(0))[0].device == odd
