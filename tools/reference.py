# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference from the code, so that it cannot say anything else than the code.

`python -m tools.reference` writes, `--check` compares and fails on the first difference it finds.
One page is one module in tools/pages with a function `page()` that returns Markdown. The JSON
Schemas of the protocols' messages are written in the same way.
"""

import functools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from homeport.api import DOCUMENT
from tools.pages import (
    audit_events,
    commands,
    enrolment,
    errors,
    metrics,
    native_schemas,
    openapi,
    ownership,
    roles,
    settings,
    topics,
)

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "reference"
SCHEMA_FOLDER: Final = ROOT / "docs" / "protocols" / "native"
EXAMPLE_FOLDER: Final = ROOT / "conf"
NOTICE: Final = "<!-- Written by `make docs`. Change the code, not this page. -->\n\n"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "api.md": openapi.page,
    "audit-events.md": audit_events.page,
    "commands.md": commands.page,
    "enrolment.md": enrolment.page,
    "errors.md": errors.page,
    "metrics.md": metrics.page,
    "ownership.md": ownership.page,
    "roles.md": roles.page,
    "settings.md": settings.page,
    "topics.md": topics.page,
}


SCHEMAS: Final[Mapping[str, Callable[[], str]]] = {
    f"{name}.schema.json": functools.partial(native_schemas.schema, name)
    for name in native_schemas.MESSAGES
}


def written(name: str) -> str:
    """The text that the page should have."""
    return NOTICE + PAGES[name]().rstrip() + "\n"


def files() -> dict[Path, str]:
    """Everything that is written from the code, and its text."""
    pages = {FOLDER / name: written(name) for name in PAGES}
    examples = {EXAMPLE_FOLDER / name: settings.example(name) for name, *_ in settings.PROGRAMS}
    apis = {DOCUMENT: openapi.document()}
    return (
        pages | examples | apis | {SCHEMA_FOLDER / name: make() for name, make in SCHEMAS.items()}
    )


def stale() -> list[str]:
    """What differs from the code: files that are old, missing, or written by nobody."""
    wanted = files()
    differing = [path for path, text in wanted.items() if _present(path) != text]
    present = (
        *FOLDER.glob("*.md"),
        *SCHEMA_FOLDER.glob("*.json"),
        *EXAMPLE_FOLDER.glob("*.toml"),
    )
    unknown = [path for path in present if path not in wanted]
    return sorted(str(path.relative_to(ROOT)) for path in (*differing, *unknown))


def main() -> int:
    """Write the pages, or with `--check` name those that differ from the code."""
    if sys.argv[1:] == ["--check"]:
        for name in (names := stale()):
            print(f"{name} does not fit the code: run make docs", file=sys.stderr)
        return 1 if names else 0
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _present(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
