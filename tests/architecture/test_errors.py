# SPDX-License-Identifier: Apache-2.0
"""The catalogue of errors is complete, orderly, and has nothing that cannot happen."""

import ast
import re

from architecture.source_tree import SOURCE, python_files, syntax
from homeport.errors import CATALOGUE, Code, Kind

KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")


def test_every_code_has_a_row():
    assert list(CATALOGUE) == list(Code), "same codes, same order"


def test_codes_are_kebab_case_and_named_alike():
    wrong = [
        code
        for code in Code
        if not KEBAB.fullmatch(code) or code.name != code.value.upper().replace("-", "_")
    ]
    assert wrong == []


def test_rows_are_grouped_by_kind():
    kinds = [entry.kind for entry in CATALOGUE.values()]
    assert kinds == sorted(kinds, key=list(Kind).index)


def test_title_and_advice_are_sentences():
    wrong = [
        (code, text)
        for code, entry in CATALOGUE.items()
        for text in (entry.title, entry.advice)
        if not re.fullmatch(r"\S.*[.!?A-Z]", text)
    ]
    assert wrong == []


def test_every_code_can_happen():
    used = {
        node.attr
        for path in python_files("src")
        if path.parent != SOURCE / "errors"
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Code"
    }
    # MalformedError raises the general code by default.
    assert {code.name for code in Code} - used - {"MALFORMED"} == set()
