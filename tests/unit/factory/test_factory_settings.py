# SPDX-License-Identifier: Apache-2.0
"""`factory.toml` reads as it was written, whatever people name their factory."""

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from homeport.factory.settings import (
    FactorySettings,
    KeySettings,
    PlatformSettings,
    toml_text,
    write_settings,
)
from homeport.settings import parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT)
def test_any_text_is_toml(text):
    assert tomllib.loads(f"a = {toml_text(text)}") == {"a": text}


@given(TEXT, TEXT)
def test_what_was_written_is_read(name, url):
    settings = FactorySettings(
        name=name,
        label_page="https://label.example/",
        passphrase=Path("/p"),
        platform=PlatformSettings(name="p", url=url),
        keys=KeySettings(issuer="file:a", manifest_signer="file:b", voucher_signer="file:c"),
    )
    table = tomllib.loads(write_settings(settings))
    assert parse(FactorySettings, table, base=Path("/works"), origin="test") == settings
