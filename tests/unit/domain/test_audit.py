# SPDX-License-Identifier: Apache-2.0
"""Every event can be told, also one that was recorded before its sentence was changed."""

from datetime import UTC, datetime

import pytest

from homeport.domain.audit import STORY, AuditEvent, Name


@pytest.mark.parametrize("name", list(Name))
def test_every_name_has_a_sentence_that_can_be_said_without_facts(name: Name) -> None:
    event = AuditEvent(name=name, at=datetime(2026, 1, 1, tzinfo=UTC), actor="device")
    assert event.story()
    assert "{" not in event.story()


def test_names_and_sentences_are_the_same_set() -> None:
    assert set(STORY) == set(Name)


def test_facts_stand_in_the_sentence_and_are_never_interpreted() -> None:
    event = AuditEvent(
        name=Name.TENANT_ADDED,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="x",
        facts={"tenant": "{actor} %s \\n"},
    )
    assert event.story() == "tenant {actor} %s \\n was added"
