# SPDX-License-Identifier: Apache-2.0
"""One small file that is there whole, in its new or its last version, whatever happens.

A write goes to a file beside, is flushed to the disk, and takes the name over (rename is atomic,
POSIX); the version before keeps a second name. The second line is the SHA-256 of the first: flash
that forgets bits is seen, and the version before is taken.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.files import sync_directory

SIZE_LIMIT: Final = 1_048_576
"""Bytes; two credentials with chains and anchors take 30 kB."""


class DurableFile:
    """A file of one line of JSON and its checksum. One process writes it."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read yet."""
        self.path: Final = path
        self.previous: Final = path.with_name(f"{path.name}.previous")
        self._partial = path.with_name(f"{path.name}.new")

    def write(self, content: bytes) -> None:
        """Replace the content; when this returns it survives a power cut.

        Raise STORAGE_UNAVAILABLE if the disk does not take it; then the old content is there.
        """
        with _reported(self.path):
            descriptor = os.open(
                self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(content + b"\n" + _checksum(content) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._keep_previous()
            self._partial.replace(self.path)
            sync_directory(self.path.parent)

    def versions(self) -> Iterator[tuple[Path, bytes]]:
        """Yield where, and what, for each undamaged version: the newest first."""
        for path in (self.path, self.previous):
            content = _read(path)
            if content is not None:
                yield path, content

    def exists(self) -> bool:
        """Whether anything was ever written, whole or not."""
        return self.path.exists() or self.previous.exists()

    def _keep_previous(self) -> None:
        if _read(self.path) is None:
            return  # A damaged version must not take the place of a whole one.
        link = self.previous.with_name(f"{self.previous.name}.new")
        link.unlink(missing_ok=True)
        os.link(self.path, link)
        link.replace(self.previous)


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        detail = f"{path}: {error.strerror}"
        raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            written = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        detail = f"{path}: {error.strerror}"
        raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None
    content, _, rest = written.partition(b"\n")
    return content if rest == _checksum(content) + b"\n" else None


def _checksum(content: bytes) -> bytes:
    return f"sha256:{hashlib.sha256(content).hexdigest()}".encode()
