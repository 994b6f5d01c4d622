# SPDX-License-Identifier: Apache-2.0
"""Nothing grows beyond what one can hold in the head. Functions are measured by ruff."""

import ast
from collections import Counter

from architecture.source_tree import ROOT, named, python_files, syntax

FILE_LINES = 500
FOLDER_MODULES = 15
PORT_METHODS = 7

LONG_TABLES: frozenset[str] = frozenset({"src/homeport/errors/catalogue.py"})
"""Files that hold nothing but a constant table, named from the root."""

GROWING: frozenset[str] = frozenset({"src/homeport/storage/migrations/versions"})
"""Folders that get one file a change, for ever."""


def test_no_source_file_is_longer_than_one_can_read():
    lengths = {
        named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files("src", "tools", "bench", "examples", "tests")
    }
    assert {
        name: length
        for name, length in lengths.items()
        if length > FILE_LINES and name not in LONG_TABLES
    } == {}


def test_no_folder_has_more_modules_than_one_can_remember():
    folders = Counter(
        str(path.parent.relative_to(ROOT))
        for path in python_files("src")
        if path.name != "__init__.py"
    )
    crowded = {name: n for name, n in folders.items() if n > FOLDER_MODULES and name not in GROWING}
    assert crowded == {}


def test_ports_are_small():
    ports = [
        (named(path, node.lineno), node)
        for path in python_files("src")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
    ]
    assert ports, "no ports were found: has the way to write them changed?"
    methods = {
        place: sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in port.body)
        for place, port in ports
    }
    assert {place: count for place, count in methods.items() if count > PORT_METHODS} == {}
