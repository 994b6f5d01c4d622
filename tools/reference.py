# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference from the code, so that it cannot say anything else than the code.

`python -m tools.reference` writes, `--check` compares and fails on the first difference it finds.
One page is one module in tools/pages with a function `page()` that returns Markdown.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools.pages import audit_events, enrolment, errors, topics

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "reference"
NOTICE: Final = "<!-- Written by `make docs`. Change the code, not this page. -->\n\n"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "audit-events.md": audit_events.page,
    "enrolment.md": enrolment.page,
    "errors.md": errors.page,
    "topics.md": topics.page,
}


def written(name: str) -> str:
    """The text that the page should have."""
    return NOTICE + PAGES[name]().rstrip() + "\n"


def stale() -> list[str]:
    """What differs from the code: pages that are old, missing, or written by nobody."""
    differing = [name for name in PAGES if _present(name) != written(name)]
    unknown = [path.name for path in FOLDER.glob("*.md") if path.name not in PAGES]
    return sorted(differing + unknown)


def main() -> int:
    """Write the pages, or with `--check` name those that differ from the code."""
    if sys.argv[1:] == ["--check"]:
        for name in (names := stale()):
            print(f"docs/reference/{name} does not fit the code: run make docs", file=sys.stderr)
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(written(name), encoding="utf-8")
    return 0


def _present(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
