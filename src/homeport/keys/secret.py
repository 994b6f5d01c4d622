# SPDX-License-Identifier: Apache-2.0
"""A secret that does not print, and how it is read from its file.

PINs and passphrases are named by file, never given by value: values end up in process lists,
shell histories, logs and bug reports.
"""

import hmac
from pathlib import Path
from typing import Final, NoReturn

from homeport.errors import Code, HomeportError

SECRET_LIMIT: Final = 1024
"""Bytes; a PIN or passphrase file that is larger is the wrong file."""


class Secret:
    """A string that shows only dots, whatever prints it, and that cannot be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Hide `value`."""
        self._value = value

    def reveal(self) -> str:
        """Return the value; call it only where it is handed over."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        message = "a secret is not pickled"
        raise TypeError(message)


def read_secret(path: Path) -> Secret:
    """Read a PIN or passphrase from its file, without the line ends at its end.

    Raise KEY_STORE_UNAVAILABLE if it cannot be read, is empty or is longer than 1 kB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_LIMIT + 1)
        value = content.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, f"secret file {path}: {reason}") from None
    if not value or len(content) > SECRET_LIMIT:
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, f"secret file {path}: empty or too long")
    return Secret(value)
