# SPDX-License-Identifier: Apache-2.0
"""docs/reference/errors.md, from `homeport.errors.CATALOGUE`."""

from typing import Final

from homeport.errors import CATALOGUE, Kind
from tools.pages.markdown import table

MEANING: Final = {
    Kind.MALFORMED: "It cannot be read.",
    Kind.UNPROVEN: "It can be read, but is not shown to be true.",
    Kind.REFUSED: "It is true, but not allowed.",
    Kind.UNKNOWN: "It names something that is not there.",
    Kind.CONFLICT: "It does not fit what is already there.",
    Kind.THROTTLED: "It is too much, too fast.",
    Kind.UNAVAILABLE: "It cannot be done now.",
}

INTRODUCTION: Final = """\
# Error codes

Every refusal has a code that never changes its meaning, a reason and an advice. A device is told
code and title; the log also has the particulars of the case. Each door turns the *kind* into its
own dialect, for instance an HTTP status.
"""


def page() -> str:
    """One table a kind."""
    return INTRODUCTION + "".join(_section(kind) for kind in Kind)


def _section(kind: Kind) -> str:
    rows = [
        (f"`{code}`", entry.title, entry.advice)
        for code, entry in CATALOGUE.items()
        if entry.kind is kind
    ]
    head = f"\n## {kind.value.capitalize()}\n\n{MEANING[kind]}\n\n"
    return head + table(("code", "what it means", "what to do"), rows)
