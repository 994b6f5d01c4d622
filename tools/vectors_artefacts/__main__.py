# SPDX-License-Identifier: Apache-2.0
"""Write tests/vectors/{manifest,label,voucher} anew: `python -m tools.vectors_artefacts`.

All keys are new then, so every file changes; the private ones are thrown away.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from homeport.pki.certificates import pem_of
from tools.vectors_artefacts import labels, manifests, vouchers
from tools.vectors_artefacts.works import Works

VECTORS: Final = Path(__file__).resolve().parents[2] / "tests" / "vectors"


def main() -> None:
    """Play every recipe and write what came of it."""
    works = Works()
    _write_all("voucher", vouchers.vectors(works))
    _write_all("label", labels.vectors(works))
    _write_manifests(works)


def _write_manifests(works: Works) -> None:
    folder = _emptied("manifest")
    (folder / "anchor.pem").write_bytes(pem_of(works.root))
    for case in manifests.cases(works):
        expected: dict[str, Any] = {"verdict": "accepted"}
        if case.code:
            expected = {"verdict": "refused", "code": case.code, "line": case.line}
        (folder / f"{case.name}.jsonl").write_bytes(case.content)
        _write(folder, {"name": case.name, "description": case.about, "expected": expected})


def _write_all(kind: str, vectors: Iterable[Mapping[str, Any]]) -> None:
    folder = _emptied(kind)
    for vector in vectors:
        _write(folder, vector)


def _write(folder: Path, vector: Mapping[str, Any]) -> None:
    text = json.dumps(vector, indent=1, ensure_ascii=False)
    (folder / f"{vector['name']}.json").write_text(text + "\n", encoding="utf-8")


def _emptied(kind: str) -> Path:
    folder = VECTORS / kind
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.suffix in {".json", ".jsonl", ".pem"}:
            old.unlink()
    return folder


if __name__ == "__main__":
    main()
