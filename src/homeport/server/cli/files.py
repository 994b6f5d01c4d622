# SPDX-License-Identifier: Apache-2.0
"""Files that people name on the command line: read whole, with a limit and a clear error."""

import sys
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError

FILE_MAX_BYTES: Final = 1024 * 1024
"""Certificates and vouchers are a few kB; manifests and sales files are streamed instead."""


def read_file(path: Path) -> bytes:
    """Return the content; HomeportError(FILE_MISSING, TOO_LARGE)."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from error
    if len(content) > FILE_MAX_BYTES:
        raise HomeportError(Code.TOO_LARGE, f"{path}: more than {FILE_MAX_BYTES} bytes")
    return content


def read_code(path: Path) -> str:
    """Return a code, from standard input for "-".

    Never from an argument, which everybody with an account on the machine could see.
    """
    if str(path) == "-":
        return sys.stdin.readline().strip()
    return read_file(path).decode("utf-8", "replace").strip()
