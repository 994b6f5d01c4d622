# SPDX-License-Identifier: Apache-2.0
"""docs/reference/audit-events.md, from `homeport.domain.audit`."""

import string
from typing import Final

from homeport.domain.audit import STORY, Name
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Audit events

One row a fact, written in the same transaction as the change that it tells of, with time, actor and
subject. The rows of a device are its timeline. Names never change.

"""


def page() -> str:
    """One table: name, the sentence people read, and the facts it carries."""
    rows = [(f"`{name}`", STORY[name], _facts(STORY[name])) for name in Name]
    return INTRODUCTION + table(("event", "as people read it", "facts"), rows)


def _facts(sentence: str) -> str:
    fields = [field for _, field, _, _ in string.Formatter().parse(sentence) if field]
    return ", ".join(f"`{field}`" for field in fields)
