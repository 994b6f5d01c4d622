# SPDX-License-Identifier: Apache-2.0
"""What the settings say of people becomes what the door is made of."""

import asyncio
import logging

import pytest

from fakes.clock import TurnedClock
from fakes.people import People
from fakes.registry import FakeRegistry
from homeport.errors import Code, HomeportError
from homeport.server.people import make_sign_in, offer_set_up
from homeport.server.settings import load_settings
from homeport.telemetry import FIELDS_KEY

OIDC = """
name = "platform.example"
[people]
session_idle = "1h"
found_tenants = true
[oidc]
issuer = "https://id.example"
client_secret = "secret"
scopes = ["email"]
"""


def settings(folder, text='name = "platform.example"'):
    file = folder / "server.toml"
    file.write_text(text)
    return load_settings(file, {"data": str(folder / "data")})


def made(folder, text):
    return make_sign_in(settings(folder, text), b"secret", FakeRegistry(), TurnedClock())


def test_without_a_provider_there_is_none(tmp_path):
    parts = made(tmp_path, 'name = "platform.example"')
    assert parts.provider is None
    assert not parts.may_found_tenants


def test_a_provider_gets_its_secret_from_a_file_and_our_address(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    parts = made(tmp_path, OIDC)
    assert parts.may_found_tenants
    assert parts.lifetimes.idle.total_seconds() == 3600
    provider = parts.provider.settings
    assert provider.callback == "https://platform.example:8443/api/v1/oidc/callback"
    assert provider.client_secret.reveal() == "s3cret"
    assert provider.scopes == ("openid", "email")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (OIDC, Code.KEY_STORE_UNAVAILABLE),  # there is no such file
        (OIDC.replace("https", "http"), Code.SETTING_WRONG),
    ],
)
def test_what_is_set_wrongly_is_said_at_the_start(tmp_path, text, code):
    if code is Code.SETTING_WRONG:
        (tmp_path / "secret").write_text("s3cret")
    with pytest.raises(HomeportError) as caught:
        made(tmp_path, text)
    assert caught.value.code is code


def offer(folder, registry, caplog):
    known = settings(folder)
    known.data.mkdir(exist_ok=True)
    with caplog.at_level(logging.WARNING, "homeport.people"):
        asyncio.run(offer_set_up(known, registry))
    return known.data / "set-up-code"


def test_without_an_operator_the_log_says_where_the_code_is_and_not_what(tmp_path, caplog):
    file = offer(tmp_path, FakeRegistry(), caplog)
    [record] = caplog.records
    fields = getattr(record, FIELDS_KEY)
    assert fields == {
        "file": str(file), "url": "https://platform.example:8443/api/v1/set-up",
    }  # fmt: skip
    assert file.read_text().strip() not in record.getMessage() + str(fields)
    assert file.stat().st_mode & 0o777 == 0o600


def test_with_an_operator_a_code_that_was_left_is_removed(tmp_path, caplog):
    file = offer(tmp_path, FakeRegistry(), caplog)
    caplog.clear()
    assert not offer(tmp_path, People().registry, caplog).exists()
    assert not file.exists()
    assert caplog.records == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path, caplog):
    known = settings(tmp_path)
    with pytest.raises(HomeportError) as caught:
        asyncio.run(offer_set_up(known, FakeRegistry()))
    assert caught.value.code is Code.STORAGE_UNAVAILABLE
    assert str(known.data) in caught.value.detail
