# SPDX-License-Identifier: Apache-2.0
"""docs/reference/enrolment.md, drawn from `homeport.domain.enrolment.TRANSITIONS`."""

from typing import Final

from homeport.domain.enrolment import ADVICE, PARKED, TRANSITIONS, State
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# The enrolment

One device's run from first contact to its first message upstream. Every protocol tells the device
where it stands in its own words; the table is the same for all. What is not in the table is refused
with `transition-illegal`.

Left out of the picture, to keep it readable: from every state that is not ended, `later-run-begun`
leads to *superseded* and `credential-revoked` to *revoked*, as the table below has them.
"""

EVERYWHERE: Final = frozenset({"later-run-begun", "credential-revoked"})
"""Events that nearly every state has: sixteen arrows would hide the others."""


def page() -> str:
    """Picture, table, and what a parked enrolment waits for."""
    return f"{INTRODUCTION}\n{_picture()}\n{_transitions()}\n{_facts()}"


def _picture() -> str:
    arrows = [
        f"    {_node(before)} --> {_node(after)}: {event}"
        for (before, event), after in TRANSITIONS.items()
        if event not in EVERYWHERE
    ]
    names = [f'    state "{state}" as {_node(state)}' for state in State]
    left = {before for before, _ in TRANSITIONS}
    ends = [f"    {_node(state)} --> [*]" for state in State if state not in left]
    body = "\n".join(["stateDiagram-v2", *names, f"    [*] --> {_node(next(iter(State)))}"])
    return f"```mermaid\n{body}\n" + "\n".join([*arrows, *ends]) + "\n```\n"


def _transitions() -> str:
    rows = [
        (f"`{before}`", f"`{event}`", f"`{after}`")
        for (before, event), after in sorted(
            TRANSITIONS.items(), key=lambda row: (list(State).index(row[0][0]), row[0][1])
        )
    ]
    return "## All transitions\n\n" + table(("state", "event", "next state"), rows)


def _facts() -> str:
    rows = [(f"`{state}`", f"`{fact}`", ADVICE[fact]) for state, fact in PARKED.items()]
    return "## What a parked device waits for\n\n" + table(
        ("state", "missing fact", "what supplies it"), rows
    )


def _node(state: State) -> str:
    return state.replace("-", "_")
