# SPDX-License-Identifier: Apache-2.0
"""The first set-up: who can read the platform's data directory makes the first operator.

There is no default password and no open door: while the platform has no operator, a file that only
its user can read holds a code. Whoever brings the code makes the account; then the file is gone.
The log says where the file is, never what is in it.
"""

import hmac
from contextlib import suppress
from pathlib import Path
from typing import Final

from homeport.domain.tokens import new_token
from homeport.errors import Code, HomeportError
from homeport.files import create_private_file

FILE: Final = "set-up-code"
"""Its name in the data directory."""


class SetUpCode:
    """The code in its file."""

    def __init__(self, directory: Path) -> None:
        """Name the data directory."""
        self.path: Final = directory / FILE

    def offer(self) -> None:
        """Make the file if it is not there: a restart does not change the code."""
        try:
            with suppress(FileExistsError):
                create_private_file(self.path, f"{new_token()}\n".encode())
        except OSError as error:
            detail = f"{self.path}: {error.strerror}"
            raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None

    def withdraw(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def demand(self, given: str) -> None:
        """Refuse any other code (SET_UP_CODE_WRONG); without a file no code is right."""
        try:
            code = self.path.read_bytes().strip()
        except OSError:
            code = b""
        if not code or not hmac.compare_digest(code, given.strip().encode()):
            raise HomeportError(Code.SET_UP_CODE_WRONG)
