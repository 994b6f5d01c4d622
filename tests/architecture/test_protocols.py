# SPDX-License-Identifier: Apache-2.0
"""A protocol is not there before its page, its conformance suite and its vectors are."""

import pytest

from architecture.source_tree import ROOT, SOURCE

PROTOCOLS = sorted(
    path.name for path in (SOURCE / "protocols").iterdir() if (path / "__init__.py").exists()
)
PAGES = {"dpp": "provisioning-mode"}
"""Pages that are named by what the protocol is for."""


def test_there_are_protocols():
    assert PROTOCOLS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_has_a_page(protocol):
    page = PAGES.get(protocol, protocol)
    assert (ROOT / "docs" / "protocols" / f"{page}.md").stat().st_size > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_has_a_conformance_suite(protocol):
    assert list((ROOT / "tests" / "conformance" / protocol).glob("test_*.py"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_has_vectors(protocol):
    vectors = ROOT / "tests" / "vectors" / protocol
    assert [path for path in vectors.rglob("*") if path.is_file()]
