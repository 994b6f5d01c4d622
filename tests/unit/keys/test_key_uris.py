# SPDX-License-Identifier: Apache-2.0
"""Key URIs: what is understood, and what is refused rather than ignored."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.keys import Secret, parse_key_uri, pkcs11_parts, read_secret
from homeport.keys.uri import FileUri, Pkcs11Uri

MODULE = "module-path=/usr/lib/x.so"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:/a/key.pem", "/a/key.pem"),
        ("file:///a/key.pem", "/a/key.pem"),
        ("/a/key.pem", "/a/key.pem"),
        ("relative/key.pem", "relative/key.pem"),
        ("file:/a/with%20space.pem", "/a/with space.pem"),
    ],
)
def test_file_uris(uri, path):
    assert parse_key_uri(uri) == FileUri(Path(path))


def test_passphrase_source():
    place = parse_key_uri("file:/a/key.pem?passphrase-source=file:/a/secret")
    assert place == FileUri(Path("/a/key.pem"), Path("/a/secret"))
    assert str(place) == "file:/a/key.pem?passphrase-source=file:/a/secret"


def test_pkcs11_uri():
    place = parse_key_uri(f"pkcs11:token=a%20b;object=c;id=%01%FF;type=private?{MODULE}")
    assert isinstance(place, Pkcs11Uri)
    assert (place.token, place.object, place.id) == ("a b", "c", b"\x01\xff")
    assert place.module_path == Path("/usr/lib/x.so")
    assert place.pin() is None


def test_module_from_the_environment(monkeypatch):
    monkeypatch.setenv("HOMEPORT_PKCS11_MODULE", "/opt/m.so")
    place = parse_key_uri("pkcs11:token=a;object=b")
    assert isinstance(place, Pkcs11Uri)
    assert place.module_path == Path("/opt/m.so")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "file:",
        "file://host/key.pem",
        "tpm:0x81000001",
        "file:/a?other=1",
        f"pkcs11:token=a?{MODULE}",
        f"pkcs11:object=a?{MODULE}",
        f"pkcs11:token=a;object=b;slot-id=1?{MODULE}",
        f"pkcs11:token=a;token=b;object=c?{MODULE}",
        f"pkcs11:token=a;object=b;type=public?{MODULE}",
        f"pkcs11:token=a;object=b?{MODULE}&module-name=x",
    ],
)
def test_refused(uri):
    with pytest.raises(HomeportError) as caught:
        parse_key_uri(uri)
    assert caught.value.code is Code.SETTING_WRONG


def test_pin_value_is_refused_and_not_repeated():
    with pytest.raises(HomeportError) as caught:
        parse_key_uri(f"pkcs11:token=a;object=b?{MODULE}&pin-value=1234")
    assert caught.value.code is Code.SETTING_WRONG
    assert "1234" not in repr(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for uri in (text, f"file:{text}", f"pkcs11:{text}"):
        try:
            parse_key_uri(uri)
        except HomeportError as error:
            assert error.code in {Code.SETTING_WRONG, Code.KEY_STORE_UNAVAILABLE}  # noqa: PT017


def test_parts_for_other_libraries(tmp_path):
    (tmp_path / "pin").write_text("1234\n")
    parts = pkcs11_parts(f"pkcs11:token=t;object=o?{MODULE}&pin-source={tmp_path}/pin")
    assert (parts.module_path, parts.token_label, parts.object_label) == (
        Path("/usr/lib/x.so"),
        "t",
        "o",
    )
    assert parts.pin is not None
    assert parts.pin.reveal() == "1234"
    assert "1234" not in repr(parts)
    with pytest.raises(HomeportError):
        pkcs11_parts("/a/file.pem")


def test_secret_does_not_show():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret == Secret("hunter2") != Secret("hunter3")
    assert secret != "hunter2"
    assert len({secret, Secret("hunter2")}) == 1
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 2000, b"\xff\xfe"])
def test_unusable_secret_files(tmp_path, content):
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(HomeportError) as caught:
        read_secret(path)
    assert caught.value.code is Code.KEY_STORE_UNAVAILABLE


def test_missing_secret_file(tmp_path):
    with pytest.raises(HomeportError) as caught:
        read_secret(tmp_path / "none")
    assert caught.value.code is Code.KEY_STORE_UNAVAILABLE
