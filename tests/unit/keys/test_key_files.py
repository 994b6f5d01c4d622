# SPDX-License-Identifier: Apache-2.0
"""Key files: how they come to be, and kinds of key that other programs put in them."""

import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from homeport.errors import Code, HomeportError
from homeport.files import create_private_file
from homeport.keys import FileKey, SignatureAlgorithm, default_algorithm, make_key, open_key
from homeport.keys.algorithms import RSA_PADDING, SHA256


def write(path, key) -> str:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(path)


def test_mode_and_nothing_beside(tmp_path):
    make_key(f"file:{tmp_path}/key.pem")
    assert [path.name for path in tmp_path.iterdir()] == ["key.pem"]
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_refused_write_leaves_nothing_behind(tmp_path):
    (tmp_path / "key.pem").write_text("precious")
    with pytest.raises(FileExistsError):
        create_private_file(tmp_path / "key.pem", b"other")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_missing_directory(tmp_path):
    with pytest.raises(HomeportError) as caught:
        make_key(f"file:{tmp_path}/none/key.pem")
    assert caught.value.code is Code.KEY_STORE_UNAVAILABLE


def test_rsa_keys_sign(tmp_path):
    key = open_key(write(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048)))
    public = key.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert default_algorithm(public) is SignatureAlgorithm.PS256
    for algorithm in (SignatureAlgorithm.PS256, SignatureAlgorithm.RS256):
        signature = key.sign(b"data", algorithm)
        public.verify(signature, b"data", RSA_PADDING[algorithm], SHA256)


@pytest.mark.parametrize(
    "make",
    [
        ed25519.Ed25519PrivateKey.generate,
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505
    ],
)
def test_kinds_that_we_do_not_use(tmp_path, make):
    with pytest.raises(HomeportError) as caught:
        open_key(write(tmp_path / "key.pem", make()))
    assert caught.value.code is Code.KEY_UNSUITABLE


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAA==\n"])
def test_unreadable_files(tmp_path, content):
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(HomeportError) as caught:
        open_key(f"{tmp_path}/key.pem")
    assert caught.value.code is Code.KEY_STORE_UNAVAILABLE


def test_a_directory_is_not_a_key(tmp_path):
    with pytest.raises(HomeportError) as caught:
        open_key(os.fspath(tmp_path))
    assert caught.value.code is Code.KEY_STORE_UNAVAILABLE


def test_a_key_in_memory():
    key = FileKey("memory", ec.generate_private_key(ec.SECP256R1()))
    assert "memory" in repr(key)
    assert len(key.sign(b"", SignatureAlgorithm.ES256)) == 64
