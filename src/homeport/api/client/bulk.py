# SPDX-License-Identifier: Apache-2.0
"""Do one thing to many devices through the people's door, with a report that one can go on from.

The report is JSON lines: one for each device, as the platform answered, and `{"after": …}` where a
filter is to be gone on with. Running again with the same report skips what is done.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from homeport.errors import Code, HomeportError

CHUNK: Final = 50
"""Devices in one request: a second or two, so that progress is seen."""
DONE: Final = "done"

Post = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Send a body to `/bulk/operate` or `/bulk/transfer`; return the document of the answer."""


class Report:
    """What came of it so far, in a file that survives whoever writes it."""

    def __init__(self, path: Path) -> None:
        """Read what is there; STATE_CORRUPT for a file that is no report."""
        self._path = path
        self.done: set[str] = set()
        """Devices that need nothing more."""
        self.after: str | None = None
        """Where a filter goes on."""
        for number, line in enumerate(self._lines(), start=1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise HomeportError(Code.STATE_CORRUPT, f"{path}: line {number}") from None

    def add(self, results: Iterable[Mapping[str, Any]], after: str | None) -> None:
        """Write down results, and where to go on."""
        lines: list[Mapping[str, Any]] = [*results]
        if after is not None:
            lines.append({"after": after})
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        for line in lines:
            self._take(line)

    def _lines(self) -> list[str]:
        if not self._path.exists():
            return []
        text = self._path.read_text("utf-8")
        # A line that was cut off says nothing: that device is asked about again.
        whole, _, rest = text.rpartition("\n")
        if rest:
            self._path.write_text(f"{whole}\n" if whole else "", "utf-8")
        return whole.splitlines()

    def _take(self, line: Mapping[str, Any]) -> None:
        if "after" in line:
            self.after = line["after"]
        elif line["result"] == DONE:
            self.done.add(line["device"])


def to_devices(
    post: Post, said: Mapping[str, Any], devices: Iterable[str], report: Report
) -> Iterator[Mapping[str, Any]]:
    """Do it to the devices that the report does not have yet; yield each result."""
    waiting = (device for device in dict.fromkeys(devices) if device not in report.done)
    while chunk := list(islice(waiting, CHUNK)):
        answer = post({**said, "devices": chunk})
        report.add(_kept(said, answer), None)
        yield from answer["items"]


def to_filter(
    post: Post, said: Mapping[str, Any], wanted: Mapping[str, Any], report: Report
) -> Iterator[Mapping[str, Any]]:
    """Do it to whatever fits, from where the report ends; yield each result."""
    after = report.after
    while True:
        answer = post({**said, "filter": dict(wanted), "after": after})
        after = answer["next"]
        report.add(_kept(said, answer), None if said.get("dry_run") else after)
        yield from answer["items"]
        if after is None:
            return


def _kept(said: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a dry run says is no progress."""
    return [] if said.get("dry_run") else list(answer["items"])
