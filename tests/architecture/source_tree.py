# SPDX-License-Identifier: Apache-2.0
"""The files of the project, as the architecture tests see them."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "src" / "homeport"

IGNORED: Final = frozenset({"bench/out", "build", "dist", "node_modules"})
"""Folders of made things, for a tree that came without git."""


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
        return tuple(sorted(path for path in names if path.is_file() and not path.is_symlink()))
    return tuple(sorted(path for path in ROOT.rglob("*") if path.is_file() and _is_ours(path)))


def python_files(*folders: str) -> list[Path]:
    """The Python files below the folders, named from the root."""
    roots = [ROOT / folder for folder in folders]
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and any(path.is_relative_to(root) for root in roots)
    ]


@functools.cache
def syntax(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Every call in the file as dotted name and line; a call on a call's result has `()` in it."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node.lineno


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an expression; what is neither name nor attribute is `()`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"


def named(path: Path, line: int | None = None) -> str:
    """The place as people click on it."""
    place = str(path.relative_to(ROOT))
    return f"{place}:{line}" if line else place


def _is_ours(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    hidden = any(part.startswith(".") and part != ".ci" for part in relative.parts[:-1])
    made = any(relative.is_relative_to(folder) for folder in IGNORED)
    return not hidden and not made and "__pycache__" not in relative.parts
