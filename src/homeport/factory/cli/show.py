# SPDX-License-Identifier: Apache-2.0
"""`homeport factory show`."""

from datetime import UTC, datetime

import msgspec
from rich.table import Table

from homeport.factory.archive.census import OrderState, take_census
from homeport.factory.cli.output import Directory, Json, out, print_facts, print_json, warn
from homeport.factory.factory import Factory
from homeport.pki.certificates import fingerprint


def show(directory: Directory, as_json: Json = False) -> None:
    """Show what is in the factory: its authorities, orders and counts."""
    factory = Factory(directory)
    orders = take_census(factory.archive)
    facts = {
        "factory": factory.settings.name,
        "authority": factory.authority,
        "idevid_anchor_sha256": fingerprint(factory.anchor),
        "voucher_anchor_sha256": fingerprint(factory.voucher_anchor),
        "platform": factory.settings.platform.url,
        "label_page": factory.settings.label_page,
    }
    devices = sum(state.minted for state in orders)
    if as_json:
        rows = [
            msgspec.to_builtins(each.order)
            | {"minted": each.minted, "unwritten_stores": each.unwritten}
            for each in orders
        ]
        print_json({**facts, "devices": devices, "orders": rows})
        return
    print_facts([(name.replace("_", " "), value) for name, value in facts.items()])
    out.print(f"[bold]devices[/]  {devices}")
    if orders:
        out.print(_table(orders))
    for state in orders:
        for stores in state.unwritten:
            warn(f"Order {state.order.id}: stores are missing in {stores}; repeat its command.")


def _table(orders: list[OrderState]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("order", "when", "model", "keys", "serial numbers", "minted", "left"):
        table.add_column(column, no_wrap=True)
    for state in orders:
        order = state.order
        first, last = order.serial_number(0), order.serial_number(order.count - 1)
        table.add_row(
            str(order.id),
            datetime.fromtimestamp(order.at, UTC).strftime("%Y-%m-%d %H:%M"),
            order.model,
            order.hardware_identity,
            f"{first} .. {last}" if order.is_counted else "listed",
            str(state.minted),
            str(state.missing) if state.missing else "",
        )
    return table
