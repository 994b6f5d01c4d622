# SPDX-License-Identifier: Apache-2.0
"""JSON that people type, or name a file for."""

import json
from pathlib import Path
from typing import Any

from homeport.errors import MalformedError
from homeport.provisioning.imports.cells import value_of
from homeport.server.cli.files import read_file


def json_object(given: str) -> dict[str, Any]:
    """Read an object: JSON itself, or @FILE."""
    text = read_file(Path(given[1:])) if given.startswith("@") else given.encode()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON: {error}"[:200]) from None
    if not isinstance(found, dict):
        raise MalformedError("a JSON object is wanted: {…}")
    return found


def attribute(given: str) -> tuple[str, Any]:
    """Read NAME=VALUE: the value is JSON if it is any, else text; null takes away."""
    name, sign, value = given.partition("=")
    if not sign or not name:
        raise MalformedError(f"{given!r}: write NAME=VALUE")
    return name, value_of(value, None)
