# SPDX-License-Identifier: Apache-2.0
"""src/homeport/api/openapi.json, and docs/reference/api.md: every operation and what it needs."""

import json
from typing import Any, Final

from homeport.api.server.app import describe
from homeport.api.server.ask import PERMISSION_KEY
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# API

The people's door: every operation, and the permission that it needs in the tenant of the thing that
it is about. Which role has which permission stands in `homeport.domain.people`. How to ask, page by
page and again after a failure, is in [operate/api.md](../operate/api.md); each field is in
`openapi.json`, which the platform serves at `/api/v1/openapi.json`.
"""


def document() -> str:
    """The OpenAPI document, as it is committed and served."""
    return json.dumps(describe(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for tag, rows in _operations().items():
        parts.append(f"## {tag}\n\n" + table(("operation", "what it does", "needs"), rows))
    return "\n\n".join(part.rstrip() for part in parts)


def _operations() -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for path, methods in describe()["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(_row(path, method, operation))
    return found


def _row(path: str, method: str, operation: dict[str, Any]) -> tuple[str, ...]:
    said = operation["description"].splitlines()[0]
    return f"`{method.upper()} {path}`", said, f"`{operation[PERMISSION_KEY]}`"
