# SPDX-License-Identifier: Apache-2.0
"""What every benchmark prints and writes: one table, and bench/out/NAME.json."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OUT = Path(__file__).parent / "out"


@dataclass(frozen=True)
class Row:
    """One figure; a goal where there is one, and whether it holds."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    holds: bool | None = None


def report(name: str, rows: Sequence[Row], details: Mapping[str, object]) -> None:
    """Print the table and write the JSON file."""
    width = max(len(row.name) for row in rows)
    for row in rows:
        goal = (
            "" if row.goal is None else f"  goal {row.goal:g}  {'holds' if row.holds else 'MISSED'}"
        )
        print(f"{row.name:{width}}  {row.value:12,.3f} {row.unit:6}{goal}")
    OUT.mkdir(exist_ok=True)
    document = {
        "name": name,
        "machine": platform.platform(),
        "rows": [asdict(row) for row in rows],
        "details": dict(details),
    }
    (OUT / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
