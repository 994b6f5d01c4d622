# SPDX-License-Identifier: Apache-2.0
"""The device's copy of its twin: what it was told, and what its programs said of it.

`twin.json` in the state directory, written before anybody hears of it. It belongs to one owner:
with another one, or after a reset, it begins empty. One that is damaged does too: what the device
is told comes again, and programs say again what is so.
"""

import logging
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from homeport.agent.memory.durable import DurableFile
from homeport.agent.memory.records import Credential

logger = logging.getLogger(__name__)

FORMAT: Final = 1
_encoder: Final = msgspec.json.Encoder()


class Twin(Struct, frozen=True, kw_only=True):
    """What is remembered."""

    format: int = FORMAT
    owner: str = ""
    """Whose it is: topics and epoch; empty before the first."""
    version: int = 0
    """Of what the device was told last; 0: nothing yet."""
    context: dict[str, Any] = {}
    desired: dict[str, Any] = {}
    reported: dict[str, Any] = {}
    """All that programs said."""
    applied: int = 0
    """The version that a program has taken into use; 0: none."""


class TwinFile:
    """Remembers the twin. One process writes it."""

    def __init__(self, directory: Path) -> None:
        """Read what is in the state directory; raise STORAGE_UNAVAILABLE."""
        self._file = DurableFile(directory / "twin.json")
        self.twin: Twin = _load(self._file)

    def keep(self, twin: Twin) -> None:
        """Write it down; raise STORAGE_UNAVAILABLE, then nothing has changed."""
        if twin != self.twin:
            self._file.write(_encoder.encode(twin))
            self.twin = twin

    def belong_to(self, credential: Credential) -> None:
        """Begin anew if this is another owner's; what was said before any owner stays."""
        owner = f"{credential.topics} {credential.epoch}"
        if self.twin.owner == "":
            self.keep(msgspec.structs.replace(self.twin, owner=owner))
        elif self.twin.owner != owner:
            self.keep(Twin(owner=owner))

    def forget(self) -> None:
        """Delete it, and the version before it."""
        for path in (self._file.path, self._file.previous):
            path.unlink(missing_ok=True)
        self.twin = Twin()


def _load(file: DurableFile) -> Twin:
    for _, content in file.versions():
        try:
            twin = msgspec.json.decode(content, type=Twin)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if twin.format == FORMAT:
            return twin
    if file.exists():
        logger.warning("%s cannot be read: the twin begins empty", file.path)
    return Twin()
