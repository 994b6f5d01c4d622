# SPDX-License-Identifier: Apache-2.0
"""Devices: single ones, and manifests."""

from dataclasses import replace

import pytest

from contract.registry_suite import (
    LATER,
    MAKER,
    NOW,
    OTHER_MAKER,
    add_tenants,
    all_devices,
    device,
    device_id,
    minted,
    opened,
)
from homeport.domain.ownership import Ownership, SerialRange
from homeport.errors import Code, HomeportError, MalformedError

__all__ = ["opened"]


def test_a_device_is_returned_as_it_was_put(opened):
    opened.do(add_tenants)
    known = device(tenant="acme", upstream="here", epoch=3, minted=True, idevid_fingerprint=None)
    known = replace(known, ownership=Ownership.AWAITING_DEVICE)
    opened.do(lambda tx: tx.devices.put(known))
    assert opened.see(lambda tx: tx.devices.get(known.id)) == known
    assert opened.see(lambda tx: tx.devices.get(device_id(authority=OTHER_MAKER))) is None


def test_putting_it_again_changes_what_may_change(opened):
    opened.do(add_tenants)
    opened.do(lambda tx: tx.devices.put(device()))
    changed = device(
        model="other",
        tenant="acme",
        upstream="edge",
        epoch=2,
        idevid_fingerprint="99" * 32,
        ownership=Ownership.OWNED,
    )
    fixed = replace(changed, hardware_identity="file", minted=True, registered_at=LATER)
    opened.do(lambda tx: tx.devices.put(fixed))
    assert opened.see(lambda tx: tx.devices.get(device_id())) == changed


def test_an_unknown_tenant_owns_nothing(opened):
    opened.refuses(Code.TENANT_UNKNOWN, lambda tx: tx.devices.put(device(tenant="nobody")))
    assert opened.see(lambda tx: tx.devices.get(device_id())) is None


def test_devices_are_found_by_id_or_by_whole_serial_number(opened):
    odd = device("50%_ A/7")
    twins = [device("SN-1"), device("SN-1", OTHER_MAKER)]
    for known in (odd, *twins, device("SN-12")):
        opened.do(lambda tx, known=known: tx.devices.put(known))
    assert list(opened.see(lambda tx: tx.devices.find("SN-1"))) == twins
    assert list(opened.see(lambda tx: tx.devices.find(str(twins[1].id)))) == twins[1:]
    assert list(opened.see(lambda tx: tx.devices.find("50%_ A/7"))) == [odd]
    assert not opened.see(lambda tx: tx.devices.find("SN-"))
    assert not opened.see(lambda tx: tx.devices.find("%"))


def test_a_search_returns_ten_at_most(opened):
    for letter in "abcdefghijkl":
        opened.do(lambda tx, letter=letter: tx.devices.put(device("1", letter * 16)))
    found = opened.see(lambda tx: tx.devices.find("1"))
    assert [known.id.authority[0] for known in found] == list("abcdefghij")


def test_a_manifest_registers_its_devices_once(opened):
    manifest = [minted(f"SN-{number:04}", f"{number:064x}") for number in range(2500)]
    assert opened.import_minted(MAKER, *manifest) == 2500
    assert opened.import_minted(MAKER, *manifest) == 0
    assert opened.import_minted(OTHER_MAKER, manifest[7]) == 1
    known = opened.see(lambda tx: tx.devices.get(device_id("SN-0007")))
    assert known == device("SN-0007", minted=True, idevid_fingerprint=f"{7:064x}")


def test_an_empty_manifest_registers_nothing(opened):
    assert opened.import_minted(MAKER) == 0


def test_a_line_that_is_there_twice_counts_once(opened):
    async def count():
        lines = [minted("SN-1"), minted("SN-2"), minted("SN-1")]
        async with opened.registry.stage_minted(MAKER, lines) as staged:
            return staged.count

    assert opened.run(count()) == 2
    assert opened.import_minted(MAKER, minted("SN-1"), minted("SN-1")) == 1


def test_a_manifest_that_contradicts_itself_is_refused(opened):
    with pytest.raises(HomeportError, match="SN-1") as caught:
        opened.import_minted(MAKER, minted("SN-1", "aa" * 32), minted("SN-1", "bb" * 32))
    assert caught.value.code is Code.DEVICE_CONFLICT


def test_a_manifest_that_contradicts_the_registry_changes_nothing(opened):
    opened.import_minted(MAKER, minted("SN-2"))
    with pytest.raises(HomeportError, match="SN-2") as caught:
        opened.import_minted(MAKER, minted("SN-1"), minted("SN-2", "bb" * 32), minted("SN-3"))
    assert caught.value.code is Code.DEVICE_CONFLICT
    assert opened.see(all_devices) == [device("SN-2", minted=True)]


def test_a_device_that_was_only_seen_becomes_minted(opened):
    opened.do(add_tenants)
    seen = device(model="as it says", hardware_identity="external", tenant="acme", epoch=1)
    nameless = device("SN-0002", idevid_fingerprint=None)
    for known in (seen, nameless):
        opened.do(lambda tx, known=known: tx.devices.put(known))
    assert opened.import_minted(MAKER, minted("SN-0001"), minted("SN-0002")) == 0
    now = opened.see(lambda tx: tx.devices.get(seen.id))
    assert now == device(minted=True, tenant="acme", epoch=1)
    assert opened.see(lambda tx: tx.devices.get(nameless.id)) == device("SN-0002", minted=True)


def test_a_device_of_the_manifest_keeps_its_owner_when_it_is_imported_again(opened):
    opened.do(add_tenants)
    opened.import_minted(MAKER, minted())
    owned = device(minted=True, tenant="acme", upstream="here", epoch=1)
    opened.do(lambda tx: tx.devices.put(owned))
    opened.import_minted(MAKER, minted(), minted("SN-0002"))
    assert opened.see(lambda tx: tx.devices.get(owned.id)) == owned


def test_a_manifest_that_breaks_off_registers_nothing(opened):
    def lines():
        yield from (minted(f"SN-{number}") for number in range(1500))
        raise MalformedError("line 1501", Code.MANIFEST_MALFORMED)

    async def work():
        async with opened.registry.stage_minted(MAKER, lines()):
            raise AssertionError("nothing must be laid ready")

    with pytest.raises(MalformedError, match="line 1501"):
        opened.run(work())
    assert opened.see(all_devices) == []


def test_a_manifest_with_an_impossible_serial_number_is_refused(opened):
    with pytest.raises(MalformedError):
        opened.import_minted(MAKER, minted("a\nb"))


def test_a_manifest_may_take_part_in_a_verb_that_fails(opened):
    async def work():
        async with opened.registry.stage_minted(MAKER, [minted()]) as staged:

            async def verb(tx):
                await tx.devices.add_minted(staged, NOW)
                raise ValueError("too late")

            with pytest.raises(ValueError, match="too late"):
                await opened.registry.transact(verb)
            return await opened.registry.transact(lambda tx: tx.devices.add_minted(staged, NOW))

    assert opened.run(work()) == 1


def test_which_serial_numbers_registered_devices_bear(opened):
    async def fill(tx):
        for number in range(0, 300, 3):
            await tx.devices.put(device(f"SN-{number}"))
        await tx.devices.put(device("SN-1", OTHER_MAKER))

    opened.do(fill)
    asked = [f"SN-{number}" for number in range(400)]
    found = opened.see(lambda tx: tx.devices.registered(asked))
    assert found == {"SN-1"} | {f"SN-{number}" for number in range(0, 300, 3)}
    assert opened.see(lambda tx: tx.devices.registered(["sn-0", "SN-00", "SN-"])) == set()
    assert opened.see(lambda tx: tx.devices.registered([])) == set()


def test_unowned_devices_of_a_range(opened):
    opened.do(add_tenants)

    async def fill(tx):
        for serial in ("SN-08", "SN-09", "SN-10", "SN-11", "SN-099", "SN-1A", "SM-10"):
            await tx.devices.put(device(serial))
        await tx.devices.put(device("SN-10", OTHER_MAKER))
        await tx.devices.put(device("SN-09", tenant="acme"))
        await tx.devices.put(device("SN-21", ownership=Ownership.DECOMMISSIONED))

    opened.do(fill)

    def unowned(first, last, authority=None, limit=10, after=None):
        numbers = SerialRange(first, last)
        found = opened.see(lambda tx: tx.devices.unowned(numbers, authority, limit, after=after))
        return [(known.id.authority[0], known.id.serial_number) for known in found]

    assert unowned("SN-08", "SN-10") == [("a", "SN-08"), ("a", "SN-10"), ("b", "SN-10")]
    assert unowned("SN-08", "SN-11", MAKER) == [("a", "SN-08"), ("a", "SN-10"), ("a", "SN-11")]
    assert unowned("SN-08", "SN-11", MAKER, 2) == [("a", "SN-08"), ("a", "SN-10")]
    after = device_id("SN-10")
    assert unowned("SN-08", "SN-11", after=after) == [("b", "SN-10"), ("a", "SN-11")]
    assert unowned("SN-08", "SN-11", after=device_id("SN-09")) == [
        ("a", "SN-10"),
        ("b", "SN-10"),
        ("a", "SN-11"),
    ]
    assert unowned("SN-10", "SN-10", OTHER_MAKER) == [("b", "SN-10")]
    assert unowned("SN-1A", "SN-1A") == [("a", "SN-1A")]
    assert unowned("SN-20", "SN-30") == []
