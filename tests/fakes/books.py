# SPDX-License-Identifier: Apache-2.0
"""An auditor: reads a platform's registry with plain SQL and compares what is with what is told.

Independent of the code that wrote it. Every row must be explained by its events, and every event
by what it tells of; whatever was killed meanwhile.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

UNFINISHED = {"proven", "assigned"}
"""States that last no longer than a transaction: on disk they would be half of one."""


@dataclass(frozen=True)
class Event:
    """One line of the trail."""

    cursor: int
    name: str
    device: str | None
    enrolment: str | None
    facts: dict[str, Any]


class Books:
    """What is in the registry at one moment."""

    def __init__(self, path: Path) -> None:
        """Read it; the platform may run."""
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            file.execute("BEGIN")
            self.integrity = [row[0] for row in file.execute("PRAGMA integrity_check")]
            self.orphans = file.execute("PRAGMA foreign_key_check").fetchall()
            self.devices = _by(file, "SELECT * FROM devices", "id")
            self.runs = _by(file, "SELECT * FROM enrolments", "id")
            self.credentials = _by(file, "SELECT * FROM credentials ORDER BY number", "fingerprint")
            self.presence = _by(file, "SELECT * FROM presence", "device")
            self.sales = file.execute("SELECT count(*) FROM sales_records").fetchone()[0]
            self.events = [
                Event(r["cursor"], r["name"], r["device"], r["enrolment"], json.loads(r["facts"]))
                for r in file.execute("SELECT * FROM audit_events ORDER BY rowid")
            ]

    def device(self, serial_number: str) -> str:
        """The id of a device."""
        return next(
            str(d["id"]) for d in self.devices.values() if d["serial_number"] == serial_number
        )

    def arrived(self) -> set[str]:
        """Serial numbers of the devices that are operational and online."""
        return {
            self.devices[run["device"]]["serial_number"]
            for run in self.runs.values()
            if run["state"] == "operational" and self.is_online(run["device"])
        }

    def is_online(self, device: str) -> bool:
        """Whether the platform believes the device connected."""
        return device in self.presence and bool(self.presence[device]["online"])

    def current(self, device: str) -> list[str]:
        """Fingerprints of the device's certificates that count."""
        return [
            name
            for name, credential in self.credentials.items()
            if credential["device"] == device and credential["state"] == "current"
        ]

    def timeline(self, device: str) -> list[str]:
        """The names of a device's events, in order."""
        return [event.name for event in self.events if event.device == device]

    def faults(self) -> list[str]:
        """Everything that is wrong; empty is what a test wants."""
        return [
            *(f"integrity: {line}" for line in self.integrity if line != "ok"),
            *(f"foreign key: {tuple(row)}" for row in self.orphans),
            *self._in_trail(),
            *self._in_credentials(),
            *self._in_runs(),
            *self._in_devices(),
            *self._in_sales(),
        ]

    def _in_trail(self) -> Iterator[str]:
        cursors = [event.cursor for event in self.events]
        if any(later <= earlier for earlier, later in pairwise(cursors)):
            yield "cursors do not grow"

    def _in_credentials(self) -> Iterator[str]:
        requests = Counter((c["device"], c["request_id"]) for c in self.credentials.values())
        yield from (f"{k}: {n} certificates for a request" for k, n in requests.items() if n > 1)
        numbers = Counter(c["serial_number"] for c in self.credentials.values())
        yield from (
            f"certificate number {k} was given {n} times" for k, n in numbers.items() if n > 1
        )
        told = self._told("credential:issued", "credential:renewed")
        yield from _differences("credential", Counter(list(self.credentials)), told)
        for state in ("replaced", "revoked"):
            ended = Counter(k for k, c in self.credentials.items() if c["state"] == state)
            gone = self._told(f"credential:{state}")
            if state == "replaced":  # what was replaced may be revoked later
                gone = Counter({k: n for k, n in gone.items() if k in ended})
            yield from _differences(f"{state} credential", ended, gone)

    def _told(self, *names: str) -> Counter[str]:
        return Counter(str(e.facts["credential"]) for e in self.events if e.name in names)

    def _in_runs(self) -> Iterator[str]:
        names: dict[str, list[str]] = {run: [] for run in self.runs}
        for event in self.events:
            if event.enrolment is not None:
                names.setdefault(event.enrolment, []).append(event.name)
        yield from (f"run {run} is told of and not there" for run in names.keys() - self.runs)
        for run, row in self.runs.items():
            yield from (f"{row['device']}: {fault}" for fault in _in_run(row, names[run]))

    def _in_devices(self) -> Iterator[str]:
        owned = Counter(k for k, d in self.devices.items() if d["tenant"])
        assigned = Counter(str(e.device) for e in self.events if e.name == "device:assigned")
        yield from _differences("owner", owned, assigned)
        for device, row in self.devices.items():
            if bool(row["tenant"]) != (row["epoch"] > 0):
                yield f"{device}: epoch {row['epoch']} and tenant {row['tenant']}"
            if not row["minted"] and self.timeline(device).count("device:registered") != 1:
                yield f"{device}: registered without a word"

    def _in_sales(self) -> Iterator[str]:
        told = sum(e.facts["count"] for e in self.events if e.name == "sales:imported")
        if told != self.sales:
            yield f"{self.sales} sales records, and the trail tells of {told}"


def _in_run(row: Any, names: list[str]) -> Iterator[str]:
    """Compare one run with its events."""
    count, state = Counter(names), row["state"]
    if state in UNFINISHED:
        yield f"its run stands at {state}"
    if names[:1] != ["enrolment:started"]:
        yield f"its run begins with {names[:1]}"
    if count["enrolment:started"] != 1:
        yield f"its run began {count['enrolment:started']} times"
    if count["enrolment:completed"] != int(row["arrived_at"] is not None):
        yield f"arrived {count['enrolment:completed']} times, at {row['arrived_at']}"
    if state == "operational" and count["enrolment:completed"] != 1:
        yield "operational without having arrived"
    if state in {"issued", "operational"} and "credential:issued" not in names:
        yield f"{state} without a certificate"
    if state.startswith("awaiting") and "enrolment:parked" not in names:
        yield f"{state} and nobody was told"
    order = [names.index(name) for name in STORY if name in names]
    if order != sorted(order):
        yield f"out of order: {names}"


STORY = ("enrolment:started", "enrolment:parked", "enrolment:resumed", "credential:issued",
         "enrolment:completed")  # fmt: skip
"""In this order where they are at all."""


def _differences(what: str, there: Counter[str], told: Counter[str]) -> Iterator[str]:
    yield from (f"{what} {key}: {n} without an event" for key, n in (there - told).items())
    yield from (f"{what} {key}: {n} events too many" for key, n in (told - there).items())


def _by(file: sqlite3.Connection, query: str, key: str) -> dict[str, sqlite3.Row]:
    return {row[key]: row for row in file.execute(query)}
