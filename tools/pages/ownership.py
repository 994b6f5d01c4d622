# SPDX-License-Identifier: Apache-2.0
"""docs/reference/ownership.md, drawn from `homeport.domain.ownership.states`."""

from typing import Final

from homeport.domain.ownership.states import HELD, TRANSITIONS, Ownership, Proof
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Ownership

How it stands with a device's owner. What is not in the table is refused with `transition-illegal`.
A device has a tenant in the states {held}, and in no other. The ownership epoch counts owners: it
advances with each new one and never runs backwards.
"""


def page() -> str:
    """Picture, table, and what a statement about ownership may rest on."""
    held = ", ".join(f"`{state}`" for state in Ownership if state in HELD)
    return f"{INTRODUCTION.format(held=held)}\n{_picture()}\n{_transitions()}\n{_proofs()}"


def _picture() -> str:
    names = [f'    state "{state}" as {_node(state)}' for state in Ownership]
    arrows = [
        f"    {_node(before)} --> {_node(after)}: {event}"
        for (before, event), after in TRANSITIONS.items()
    ]
    lines = ["stateDiagram-v2", *names, f"    [*] --> {_node(Ownership.UNOWNED)}", *arrows]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _transitions() -> str:
    rows = [
        (f"`{before}`", f"`{event}`", f"`{after}`")
        for (before, event), after in sorted(
            TRANSITIONS.items(), key=lambda row: (list(Ownership).index(row[0][0]), row[0][1])
        )
    ]
    return "## All transitions\n\n" + table(("state", "event", "next state"), rows)


def _proofs() -> str:
    words = ", ".join(f"`{proof}`" for proof in Proof)
    return f"## Proofs\n\nEvery entry of the ledger says what it rests on: {words}.\n"


def _node(state: Ownership) -> str:
    return state.replace("-", "_")
