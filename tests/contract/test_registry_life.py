# SPDX-License-Identifier: Apache-2.0
"""Commands, quarantine, offers and replacements, in every registry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from contract.registry_suite import LATER, NOW, Opened, device, device_id, opened
from homeport.domain.device import Device
from homeport.domain.life.bulk import Came
from homeport.domain.life.command import Command, CommandEvent, CommandState, Order
from homeport.domain.life.offer import Offer, OfferState
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.life.replacement import Replacement, ReplacementState
from homeport.domain.tenant import Tenant
from homeport.errors import Code
from homeport.provisioning.life.bulk import to_each
from homeport.provisioning.ports import Transaction

__all__ = ["opened"]

FIRST, SECOND = device_id("SN-0001"), device_id("SN-0002")


def command(number: int, serial_number: str = "SN-0001", order: Order = Order.REKEY) -> Command:
    return Command(
        id=f"{number:032x}",
        device=device_id(serial_number),
        order=order,
        epoch=1,
        asked_by="operator ann",
        asked_at=NOW,
        expires_at=LATER,
    )


async def two_devices(tx: Transaction) -> None:
    await tx.devices.put(device("SN-0001"))
    await tx.devices.put(device("SN-0002"))


def test_a_command_is_kept_until_it_is_answered(opened: Opened) -> None:
    opened.do(two_devices)
    asked = command(1)
    opened.do(lambda tx: tx.commands.put(asked))
    assert opened.see(lambda tx: tx.commands.get(asked.id)) == asked
    assert opened.see(lambda tx: tx.commands.asked(FIRST)) == asked
    assert opened.see(lambda tx: tx.commands.asked(SECOND)) is None
    answered = asked.after(CommandEvent.DEVICE_REFUSED, LATER, "key-missing")
    opened.do(lambda tx: tx.commands.put(answered))
    assert opened.see(lambda tx: tx.commands.get(asked.id)) == answered
    assert answered.state is CommandState.REFUSED
    assert opened.see(lambda tx: tx.commands.asked(FIRST)) is None
    assert opened.see(lambda tx: tx.commands.get("0")) is None


def test_a_device_has_one_unanswered_command(opened: Opened) -> None:
    opened.do(two_devices)
    opened.do(lambda tx: tx.commands.put(command(1)))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.commands.put(command(2)))
    opened.do(lambda tx: tx.commands.put(command(1).after(CommandEvent.DONE, NOW)))
    opened.do(lambda tx: tx.commands.put(command(2)))
    newest_first = opened.see(lambda tx: tx.commands.of_device(FIRST, limit=10))
    assert [each.id for each in newest_first] == [command(2).id, command(1).id]
    assert len(opened.see(lambda tx: tx.commands.of_device(FIRST, limit=1))) == 1


def test_a_command_is_for_a_known_device(opened: Opened) -> None:
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.commands.put(command(1)))


def test_unanswered_commands_are_found_page_by_page(opened: Opened) -> None:
    opened.do(two_devices)
    first, second = command(1), replace(command(2, "SN-0002"), expires_at=NOW)

    async def ask(tx: Transaction) -> None:
        await tx.commands.put(second)
        await tx.commands.put(first)
        ended = command(3, "SN-0002").after(CommandEvent.TAKEN_BACK, NOW)
        await tx.commands.put(replace(ended, expires_at=NOW))

    opened.do(ask)
    assert opened.see(lambda tx: tx.commands.unanswered(after=None, limit=1)) == [first]
    assert opened.see(lambda tx: tx.commands.unanswered(after=FIRST, limit=9)) == [second]
    assert opened.see(lambda tx: tx.commands.overdue(NOW, limit=9)) == [second]
    before = NOW - timedelta(microseconds=1)
    assert opened.see(lambda tx: tx.commands.overdue(before, limit=9)) == []


def test_quarantine_lasts_until_it_is_ended(opened: Opened) -> None:
    opened.do(two_devices)
    inside = Quarantine(device=FIRST, by="ann", reason="it shouts", since=NOW)
    opened.do(lambda tx: tx.quarantines.put(inside))
    assert opened.see(lambda tx: tx.quarantines.get(FIRST)) == inside
    assert opened.see(lambda tx: tx.quarantines.get(SECOND)) is None
    opened.do(lambda tx: tx.quarantines.put(replace(inside, released_at=LATER)))
    assert opened.see(lambda tx: tx.quarantines.get(FIRST)) is None
    again = replace(inside, reason="again", since=LATER)
    opened.do(lambda tx: tx.quarantines.put(again))
    assert opened.see(lambda tx: tx.quarantines.get(FIRST)) == again
    stranger = replace(inside, device=device_id("SN-0009"))
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.quarantines.put(stranger))


def test_whose_permissions_changed_is_known(opened: Opened) -> None:
    opened.do(two_devices)
    inside = Quarantine(device=FIRST, by="ann", reason="it shouts", since=NOW)
    released = replace(inside, device=SECOND, released_at=LATER)

    async def put(tx: Transaction) -> None:
        await tx.quarantines.put(inside)
        await tx.quarantines.put(released)

    opened.do(put)
    assert opened.see(lambda tx: tx.quarantines.to_enforce(NOW)) == [FIRST, SECOND]
    assert opened.see(lambda tx: tx.quarantines.to_enforce(LATER)) == [FIRST]


def offer(number: int, serial_number: str = "SN-0001", **changes: Any) -> Offer:
    made = Offer(
        id=f"{number:032x}",
        device=device_id(serial_number),
        seller="acme",
        buyer="globex",
        code_hash=None,
        offered_by="ann",
        offered_at=NOW,
        expires_at=LATER,
    )
    return replace(made, **changes)


async def a_market(tx: Transaction) -> None:
    await two_devices(tx)
    for name in ("acme", "globex", "initech"):
        await tx.tenants.add(Tenant(name=name, title=name, default_upstream="here", added_at=NOW))


def test_an_offer_is_kept_until_it_ends(opened: Opened) -> None:
    opened.do(a_market)
    first = offer(1, buyer=None, code_hash=b"\x01" * 32)
    opened.do(lambda tx: tx.offers.put(first))
    assert opened.see(lambda tx: tx.offers.get(first.id)) == first
    assert opened.see(lambda tx: tx.offers.open_of(FIRST)) == first
    assert opened.see(lambda tx: tx.offers.with_code(b"\x01" * 32)) == first
    assert opened.see(lambda tx: tx.offers.with_code(b"\x02" * 32)) is None
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.offers.put(offer(2)))
    ended = first.ended(OfferState.ACCEPTED, LATER)
    opened.do(lambda tx: tx.offers.put(ended))
    assert opened.see(lambda tx: tx.offers.get(first.id)) == ended
    assert opened.see(lambda tx: tx.offers.open_of(FIRST)) is None
    assert opened.see(lambda tx: tx.offers.with_code(b"\x01" * 32)) is None
    assert opened.see(lambda tx: tx.offers.accepted_since(NOW)) == [ended]
    assert opened.see(lambda tx: tx.offers.accepted_since(LATER)) == []
    opened.do(lambda tx: tx.offers.put(offer(2)))


def test_an_offer_is_of_what_is_known(opened: Opened) -> None:
    opened.do(a_market)
    for wrong in (offer(1, "SN-0009"), offer(1, seller="nobody"), offer(1, buyer="nobody")):
        opened.refuses(Code.DEVICE_UNKNOWN, lambda tx, wrong=wrong: tx.offers.put(wrong))  # type: ignore[misc]


def test_offers_are_seen_by_both_sides(opened: Opened) -> None:
    opened.do(a_market)
    ends = [offer(n).ended(OfferState.DECLINED, NOW) for n in (1, 2)]
    mine, others = offer(3), offer(4, "SN-0002", buyer=None, code_hash=b"\x01")

    async def put(tx: Transaction) -> None:
        for each in (*ends, mine, others):
            await tx.offers.put(each)

    opened.do(put)

    def seen(tenants: set[str] | None, after: str = "", limit: int = 10) -> Sequence[Offer]:
        return opened.see(lambda tx: tx.offers.concerning(tenants, after=after, limit=limit))

    assert seen(None) == seen({"acme"}) == seen({"acme", "globex"}) == [others, mine, *ends[::-1]]
    assert seen({"globex"}) == [mine, *ends[::-1]]
    assert seen({"initech"}) == seen(set()) == []
    assert seen({"acme"}, after=mine.id, limit=1) == [ends[1]]
    many = {f"t{number}" for number in range(40)} | {"globex"}
    assert seen(many, limit=2) == [mine, ends[1]]
    assert seen(None, limit=1) == [others]


def test_overdue_offers_are_found(opened: Opened) -> None:
    opened.do(a_market)
    opened.do(lambda tx: tx.offers.put(offer(1)))
    assert opened.see(lambda tx: tx.offers.overdue(NOW, limit=9)) == []
    assert opened.see(lambda tx: tx.offers.overdue(LATER, limit=9)) == [offer(1)]


def test_a_replacement_is_kept_by_the_new_device(opened: Opened) -> None:
    opened.do(two_devices)
    made = Replacement(
        new=SECOND, old=FIRST, by="ann", at=NOW, upstream_before="here", was_revoked=True
    )
    opened.do(lambda tx: tx.replacements.put(made))
    assert opened.see(lambda tx: tx.replacements.of_new(SECOND)) == made
    assert opened.see(lambda tx: tx.replacements.of_new(FIRST)) is None
    undone = replace(made, state=ReplacementState.UNDONE, upstream_before=None, was_revoked=False)
    opened.do(lambda tx: tx.replacements.put(undone))
    assert opened.see(lambda tx: tx.replacements.of_new(SECOND)) == undone
    stranger = replace(made, old=device_id("SN-0009"))
    opened.refuses(Code.DEVICE_UNKNOWN, lambda tx: tx.replacements.put(stranger))


def test_a_dry_run_leaves_nothing_behind(opened: Opened) -> None:
    opened.do(two_devices)
    ids = [FIRST, device_id("SN-0009"), SECOND]

    async def held(tx: Transaction, device: Device) -> None:
        inside = Quarantine(device=device.id, by="ann", reason="all", since=NOW)
        await tx.quarantines.put(inside)

    said = opened.run(to_each(opened.registry, ids, held, is_dry_run=True))
    assert [each.came for each in said] == [Came.WOULD_BE_DONE, Came.REFUSED, Came.WOULD_BE_DONE]
    assert opened.see(lambda tx: tx.quarantines.get(FIRST)) is None
    done = opened.run(to_each(opened.registry, ids, held, is_dry_run=False))
    assert [each.came for each in done] == [Came.DONE, Came.REFUSED, Came.DONE]
    assert opened.see(lambda tx: tx.quarantines.get(SECOND)) is not None
