# SPDX-License-Identifier: Apache-2.0
"""What a sign-in name and a password may be; what tells a token from another."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import homeport
from fakes.people import NOW
from homeport.domain.account import (
    NAME_MAX,
    PASSWORD_MAX,
    RESERVED,
    Account,
    check_password,
    check_sign_in_name,
)
from homeport.domain.api_key import id_in, make_token
from homeport.domain.tokens import hash_token
from homeport.errors import Code, HomeportError, MalformedError


@pytest.mark.parametrize(
    "name", ["eve", "eve@example.com", "e.v+e_1@a-b.example", "7", "a" * NAME_MAX]
)
def test_names_that_may_be(name):
    assert check_sign_in_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "Eve", "eve ", " eve", "e ve", "@eve", "eve@", "é", "\u0435ve", "eve\n", "eve\0", "e/v",
     "e%v", "a" * (NAME_MAX + 1), "eve\u200b", "\ud800", "<b>", "-eve", "eve@example.com."],
)  # fmt: skip
def test_names_that_look_like_others_or_drive_something_are_refused(name):
    with pytest.raises(MalformedError):
        check_sign_in_name(name)


@pytest.mark.parametrize("name", ["platform", "device", "broker", "stranger", "operator", "key"])
def test_nobody_is_called_what_the_trail_means_something_else_by(name):
    with pytest.raises(MalformedError):
        check_sign_in_name(name)
    assert check_sign_in_name(f"{name}s")


def test_every_actor_without_an_account_is_reserved():
    source = Path(homeport.__file__).parent
    text = "\n".join(path.read_text() for path in source.rglob("*.py"))
    actors = set(re.findall(r'(?:actor=|ACTOR(?:: Final)? = )f?"([a-z]+)', text))
    assert {"device", "stranger", "key"} <= actors <= RESERVED


@given(st.text())
def test_any_name_is_unchanged_or_refused(name):
    with suppress(MalformedError):
        assert check_sign_in_name(name) == name


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("tiny", "shorter"),
        ("a" * 20, "different"),
        ("12" * 10, "different"),
        ("x" * (PASSWORD_MAX + 1), "longer"),
        ("evelyn12345678", "name"),
        ("my-EVELYN-2026", "name"),
        ("evelyn@example.com", "name"),
        ("eleven words\0here", "typed"),
        ("eleven words\nhere", "typed"),
    ],
)
def test_passwords_that_are_refused(password, why):
    with pytest.raises(HomeportError) as caught:
        check_password(password, "evelyn@example.com")
    assert caught.value.code is Code.PASSWORD_UNSUITABLE
    assert why in caught.value.detail
    assert password not in caught.value.detail


@pytest.mark.parametrize(
    "password", ["correct horse battery", "größe zählt doch", "пароль из слов"]
)
def test_passwords_that_are_taken(password):
    assert check_password(password, "eve") == password


def test_a_password_is_the_same_from_every_keyboard():
    composed, decomposed = "gr\u00f6\u00dfe von allem", "gro\u0308\u00dfe von allem"
    assert check_password(decomposed, "eve") == check_password(composed, "eve")


def test_hashes_are_not_printed():
    assert "argon" not in repr(Account(id="1", name="eve", password_hash="$argon2id", made_at=NOW))


def test_a_key_names_itself_by_its_beginning():
    identifier, token = make_token()
    assert token.startswith(f"hpk_{identifier}_")
    assert id_in(token) == identifier
    assert make_token()[1] != token


@pytest.mark.parametrize(
    "text", ["", "hpk_", "hpk_0123456789ab_", "hpk_" + "0" * 12 + "_" + "a" * 42]
)
def test_what_is_no_key_has_no_id(text):
    assert id_in(text) is None
    assert id_in(text + "\n") is None


@given(st.text())
def test_any_text_has_a_hash_and_is_no_key(text):
    assert len(hash_token(text)) == 64
    assert id_in(text) is None


def test_half_a_character_has_a_hash_too():
    assert len(hash_token("\ud800")) == 64
