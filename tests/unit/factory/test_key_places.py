# SPDX-License-Identifier: Apache-2.0
"""Where keys live: URIs that name one key each, whatever the path or the serial number."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.factory.key_places import in_directory, in_token
from homeport.keys import parse_key_uri, pkcs11_parts
from homeport.keys.uri import FileUri

TOKEN = "pkcs11:token=Devices?module-path=/lib/m.so"


@given(st.text(min_size=1, max_size=64).filter(str.isprintable))
def test_any_serial_number_is_an_object_label(serial_number):
    parts = pkcs11_parts(in_token(TOKEN, serial_number))
    assert (parts.token_label, parts.object_label) == ("Devices", serial_number)


@pytest.mark.parametrize(
    "uri", ["", "file:/x", "pkcs11:object=a", "pkcs11:token=a;object=b", "pkcs11:token=a;id=%01"]
)
def test_what_names_no_token_or_one_key_is_refused(uri):
    with pytest.raises(HomeportError) as caught:
        in_token(uri, "x")
    assert caught.value.code is Code.SETTING_WRONG


def test_a_relative_key_is_below_the_factory_and_encrypted():
    directory, passphrase = Path("/a works?/100%"), Path("/run/se crets/p&p")
    place = parse_key_uri(in_directory("file:keys/issuer.pem", directory, passphrase))
    assert place == FileUri(directory / "keys/issuer.pem", passphrase)


@pytest.mark.parametrize("uri", ["file:/own/key.pem", TOKEN, "file:/k?passphrase-source=file:/p"])
def test_the_operators_own_keys_stay_as_they_are(uri):
    assert in_directory(uri, Path("/works"), Path("/p")) == uri
