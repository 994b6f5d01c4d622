# SPDX-License-Identifier: Apache-2.0
"""Commands and quarantine, in every registry."""

from dataclasses import replace
from datetime import timedelta

from contract.registry_suite import LATER, NOW, Opened, device, device_id, opened
from homeport.domain.life.command import Command, CommandEvent, CommandState, Order
from homeport.domain.life.quarantine import Quarantine
from homeport.errors import Code
from homeport.provisioning.ports import Transaction

__all__ = ["opened"]

FIRST, SECOND = device_id("SN-0001"), device_id("SN-0002")


def command(number: int, serial_number: str = "SN-0001", order: Order = Order.REKEY) -> Command:
    return Command(
        id=f"{number:032x}",
        device=device_id(serial_number),
        order=order,
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
