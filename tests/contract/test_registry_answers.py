# SPDX-License-Identifier: Apache-2.0
"""Answers that are kept for repeated requests."""

from dataclasses import replace
from datetime import timedelta

from contract.registry_suite import NOW, opened
from homeport.errors import Code
from homeport.provisioning.ports import KeptAnswer

__all__ = ["opened"]

ANSWER = KeptAnswer(caller="c1", key="k1", request="r1", answer='{"größe":"\\""}', kept_at=NOW)


def test_an_answer_comes_back_as_it_was_kept(opened):
    opened.do(lambda tx: tx.answers.put(ANSWER))
    assert opened.see(lambda tx: tx.answers.get("c1", "k1")) == ANSWER
    assert opened.see(lambda tx: tx.answers.get("c1", "k2")) is None
    assert opened.see(lambda tx: tx.answers.get("c2", "k1")) is None


def test_a_key_is_used_once_by_each_caller(opened):
    opened.do(lambda tx: tx.answers.put(ANSWER))
    opened.do(lambda tx: tx.answers.put(replace(ANSWER, caller="c2")))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.answers.put(replace(ANSWER, answer="{}")))
    assert opened.see(lambda tx: tx.answers.get("c1", "k1")) == ANSWER


def test_what_is_old_is_forgotten(opened):
    later = replace(ANSWER, key="k2", kept_at=NOW + timedelta(microseconds=1))
    for answer in (ANSWER, later):
        opened.do(lambda tx, answer=answer: tx.answers.put(answer))
    opened.do(lambda tx: tx.answers.forget(later.kept_at))
    assert opened.see(lambda tx: tx.answers.get("c1", "k1")) is None
    assert opened.see(lambda tx: tx.answers.get("c1", "k2")) == later
