# SPDX-License-Identifier: Apache-2.0
"""Private files that are there whole or not at all, and stay so after a power cut.

What is written goes to a file beside, mode 0600, reaches the disk, and only then takes the name.
Errors are the system's (OSError): each room says in its own words what they mean there.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def create_private_file(path: Path, content: bytes) -> None:
    """Write a new file; raise FileExistsError rather than replace one."""
    _write(path, content, os.link)  # which never replaces


def replace_private_file(path: Path, content: bytes) -> None:
    """Write the file; whoever reads meanwhile sees the old content or the new."""
    _write(path, content, os.replace)


def sync_directory(directory: Path) -> None:
    """Make what was renamed, made or removed in the directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, name: Callable[[Path, Path], None]) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        name(partial, path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    sync_directory(path.parent)
