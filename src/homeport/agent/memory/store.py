# SPDX-License-Identifier: Apache-2.0
"""The agent's state directory: two durable files, the keys in files, and a lock.

    state.json      `Saved`, with the version before it in state.json.previous
    twin.json       `Twin`: what the device is told and says of itself (see twin.py)
    lifetime.json   `Lifetime`, likewise; a reset does not touch it
    keys/           operational keys, where they live in files
    lock            held by the agent that runs
    status.json     what it is doing now, for people; may be lost (see diary.py)

Nobody but the agent's user can look inside. A directory that cannot be read stops the agent: to
begin anew by itself would throw the device's place in the world away for a bad sector.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from homeport.agent.memory.durable import DurableFile
from homeport.agent.memory.records import Lifetime, Saved
from homeport.errors import Code, HomeportError

logger = logging.getLogger(__name__)

Record = TypeVar("Record", Saved, Lifetime)

FORMAT: Final = 1
_encoder: Final = msgspec.json.Encoder()


class Store:
    """The memory of one agent. `saved` and `lifetime` are what is on disk."""

    def __init__(self, directory: Path) -> None:
        """Open the directory, made if need be, and read it.

        Raise STATE_CORRUPT if a file is there and no version of it can be read,
        STORAGE_UNAVAILABLE if the directory cannot be used.
        """
        self.directory: Final = make_private_directory(directory)
        self.keys: Final = make_private_directory(directory / "keys")
        self._state = DurableFile(directory / "state.json")
        self._lifetime = DurableFile(directory / "lifetime.json")
        self.lifetime: Lifetime = _load(self._lifetime, Lifetime)
        self.saved: Saved = _load(self._state, Saved)

    def save(self, saved: Saved) -> None:
        """Write the state down; when this returns the agent may act on it."""
        if saved != self.saved:
            self._state.write(_encoder.encode(saved))
            self.saved = saved

    def save_lifetime(self, lifetime: Lifetime) -> None:
        """Write down what outlives a reset. Epoch and time never run backwards.

        Called *before* `save` of what follows from it, so that a power cut between the two leaves
        the stricter floor.
        """
        held = self.lifetime
        lifetime = msgspec.structs.replace(
            lifetime,
            epoch=max(held.epoch, lifetime.epoch),
            signed_time=max(held.signed_time, lifetime.signed_time),
        )
        if lifetime != held:
            self._lifetime.write(_encoder.encode(lifetime))
            self.lifetime = lifetime


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; raise AGENT_RUNNING if somebody else does.

    The kernel lets go of it when the process ends, however it ends.
    """
    make_private_directory(directory)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeportError(Code.AGENT_RUNNING, str(directory)) from None
        yield
    finally:
        os.close(descriptor)


def forget_damaged(directory: Path) -> None:
    """Put an unreadable state aside (for `reset`); what outlives a reset must be readable.

    Raise STATE_CORRUPT if `lifetime.json` is damaged too: then a former owner could come back,
    and only the factory may decide that.
    """
    _load(DurableFile(directory / "lifetime.json"), Lifetime)
    damaged = DurableFile(directory / "state.json")
    for path in (damaged.path, damaged.previous):
        if path.exists():
            path.replace(path.with_name(f"{path.name}.damaged"))


def make_private_directory(directory: Path) -> Path:
    """Make the directory with mode 0700, unless it is there; raise STORAGE_UNAVAILABLE."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        detail = f"{directory}: {error.strerror}"
        raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None
    return directory


def _load(file: DurableFile, kind: type[Record]) -> Record:
    for path, content in file.versions():
        try:
            record = msgspec.json.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if record.format != FORMAT:
            detail = f"{path}: format {record.format} is another version's"
            raise HomeportError(Code.STATE_CORRUPT, detail)
        if path != file.path:
            logger.warning("%s is damaged; the version before it is used", file.path)
        return record
    if file.exists():
        raise HomeportError(Code.STATE_CORRUPT, f"{file.path}: no version can be read")
    return kind()
