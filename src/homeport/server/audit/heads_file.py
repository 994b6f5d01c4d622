# SPDX-License-Identifier: Apache-2.0
"""Where heads are exported to: a file that is only ever appended to, or a directory of such files.

One head a line. The file may lie on a disk that cannot be rewritten, so nothing is mended in it: a
line that a full disk has cut is ended and left behind, and its head is written again.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from homeport.artefacts.audit_head import LIMIT, peek_head
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import SealedHead

_TAIL: Final = 2 * LIMIT
"""Octets at the end of a file in which its last whole line is looked for."""

_PREFIX: Final = "audit-heads-"


class HeadsFile:
    """The file, or directory, of the setting `audit.heads`."""

    def __init__(self, path: Path) -> None:
        """Take its path; a directory must be there, a file is made."""
        self._path = path

    def last_number(self) -> int:
        """Return the number of the last head in it, 0 if there is none.

        Raise STORAGE_UNAVAILABLE.
        """
        with _explained(self._path):
            for path in reversed(files_of(self._path)):
                number = _last_in(path)
                if number:
                    return number
        return 0

    def append(self, heads: Sequence[SealedHead]) -> None:
        """Write heads and wait until they are on the disk; raise STORAGE_UNAVAILABLE."""
        for head in heads:
            with _explained(self._path):
                _append(self._place(head), head.jws)

    def _place(self, head: SealedHead) -> Path:
        if not self._path.is_dir():
            return self._path
        return self._path / f"{_PREFIX}{peek_head(head.jws).at:%Y-%m-%d}.jsonl"


def files_of(path: Path) -> list[Path]:
    """Return the files of heads that the path names, oldest first."""
    if path.is_dir():
        return sorted(path.glob(f"{_PREFIX}*.jsonl"))
    return [path] if path.exists() else []


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines that the path holds; raise FILE_MISSING."""
    try:
        files = files_of(path)
        if not files:
            raise HomeportError(Code.FILE_MISSING, f"{path}: no heads are here")
        for each in files:
            with each.open("rb") as file:
                while line := file.readline(LIMIT):
                    if line.strip():
                        yield line.strip()
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        rest = (b"\n" if is_cut else b"") + line + b"\n"
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_in(path: Path) -> int:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        lines = file.read().split(b"\n")
    for line in reversed(lines[:-1]):  # what has no end yet was cut
        with suppress(MalformedError):
            return peek_head(line).number
    return 0


class _explained:  # noqa: N801 - reads as a word where it is used
    """Raise STORAGE_UNAVAILABLE with the path instead of the system's error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            detail = f"audit.heads {self._path}: {error.strerror}"
            raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None
