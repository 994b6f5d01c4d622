# SPDX-License-Identifier: Apache-2.0
"""Files of the platform: whole or not at all, private, and one writer at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.files import replace_private_file

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700

OTHERS: Final = 0o007
"""Permission bits of those who are neither owner nor in the group. Groups are left to the
operator: containers give volumes to one."""


def make_private_directory(path: Path) -> None:
    """Make the directory of mode 0700, or check the one that is there.

    Raise STORAGE_UNAVAILABLE if it cannot be made, SETTING_WRONG if others may look into it.
    """
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except OSError as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{path}: {error.strerror}") from None
    if mode & OTHERS:
        detail = f"{path} holds private keys and is open to others: chmod 700 {path}"
        raise HomeportError(Code.SETTING_WRONG, detail)


def replace_file(path: Path, content: bytes) -> None:
    """Write the file, mode 0600, so that readers and a power cut see the old or the new one.

    Raise STORAGE_UNAVAILABLE.
    """
    try:
        replace_private_file(path, content)
    except OSError as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{path}: {error.strerror}") from None


@contextmanager
def only_writer(directory: Path) -> Generator[None]:
    """Wait until no other process writes in the directory, and keep it so.

    What a writer left half-done when it was killed is removed. The lock ends with the process.
    """
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for partial in directory.glob(".*.????????????????"):
            partial.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)
