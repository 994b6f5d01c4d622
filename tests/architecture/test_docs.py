# SPDX-License-Identifier: Apache-2.0
"""What the documents point at is there, and what is written from the code fits the code."""

import re
from pathlib import Path

import pytest

from architecture.source_tree import ROOT, named, project_files
from homeport import VERSION
from tools import reference

PAGES = [path for path in project_files() if path.suffix == ".md"]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
WHEEL = re.compile(r"homeport-([^/\s-]+)-py3-none-any\.whl")
HEADING = re.compile(r"^#{1,6} (.+?)\s*#*$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = [
        re.sub(r"[`*_\[\]]|\([^)]*\)", "", heading).lower() for heading in HEADING.findall(text)
    ]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    links = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not leads_somewhere(link, page)] == []


def leads_somewhere(link: str, page: Path) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


def test_the_wheel_that_pages_name_is_the_one_that_is_built():
    named_wheels = {w for page in PAGES for w in WHEEL.findall(page.read_text(encoding="utf-8"))}
    assert named_wheels == {VERSION}


def test_generated_pages_fit_the_code():
    assert reference.stale() == []
