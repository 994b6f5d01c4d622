# SPDX-License-Identifier: Apache-2.0
"""Hostile text in every field of every operation: stored and returned unchanged, or refused."""

import asyncio
import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from fakes.people_door import PeopleDoor, document
from fakes.registry import FakeRegistry
from unit.api.samples import SAMPLES
from unit.api.samples.devices import fill
from unit.api.test_api_walk import ALL, ids

HOSTILE = [
    "'; DROP TABLE devices; --",
    "<script>alert(1)</script>",
    "=HYPERLINK(0)",
    "{{7*7}}${7*7}%s%n",
    "../../../etc/passwd",
    "\x1b[2J\x07",
    "a\0b",
    "\ud800",
    "\u202e😀\ufeff",
    "x" * 100_000,
    "",
    " ",
]


def places(said: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where text stands in a document."""
    if isinstance(said, str):
        yield path
    elif isinstance(said, dict):
        for name, value in said.items():
            yield from places(value, (*path, name))
    elif isinstance(said, list):
        for number, value in enumerate(said):
            yield from places(value, (*path, number))


def replaced(said: Any, path: tuple[Any, ...], text: str) -> Any:
    changed = copy.deepcopy(said)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = text
    return changed


@pytest.mark.parametrize("operation", [each for each in ALL if SAMPLES[each.name].said], ids=ids)
def test_text_comes_back_unchanged_or_is_refused(operation):
    sample = SAMPLES[operation.name]
    for path in places(sample.said):
        for text in HOSTILE:
            said = replaced(sample.said, path, text)
            answer = asked(operation, sample.path, said)
            assert answer.status < 500, (path, text[:40], answer.body)
            if answer.status < 300 and answer.body:
                shown = document(answer)
                kept = shown.get(path[0]) if len(path) == 1 and isinstance(shown, dict) else None
                assert kept in (None, text, [text]) or text.strip() == "", (path, text[:40], kept)
            elif answer.status >= 400:
                assert document(answer)["code"], answer.body


@pytest.mark.parametrize("operation", [each for each in ALL if SAMPLES[each.name].path], ids=ids)
def test_hostile_names_in_paths_name_nothing_or_what_was_named_so(operation):
    sample = SAMPLES[operation.name]
    for name in sample.path:
        for text in HOSTILE:
            if text.strip() and text.isascii() and len(text) < 1000:
                steps = {**sample.path, name: quote(text, safe="")}
                answer = asked(operation, steps, sample.said)
                assert answer.status < 500, (name, text, answer.body)
                if answer.status < 300:
                    assert text in document(answer).values(), (name, text, answer.body)


def asked(operation, steps, said):
    sample = SAMPLES[operation.name]
    with asyncio.Runner() as runner:
        door = PeopleDoor(FakeRegistry(), runner)
        runner.run(door.registry.transact(fill))
        if sample.given is not None:
            runner.run(door.registry.transact(sample.given))
        path = operation.path.format_map(steps)
        caller, headers = sample.caller, sample.headers
        return door.ask(
            operation.method, path, caller, said=said, query=sample.query, headers=headers
        )
