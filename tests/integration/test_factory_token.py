# SPDX-License-Identifier: Apache-2.0
"""Keys in a real PKCS#11 token: the factory's own, and those of its devices."""

import tomllib

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from fakes.factory_line import line, make_line
from homeport.errors import Code, HomeportError
from homeport.keys import KeyKind, SignatureAlgorithm, make_key, open_key
from homeport.pki.certificates import public_key_of, spki_of

__all__ = ["line"]


def token_uri(soft_token) -> str:
    """The token alone, as people give it."""
    before, _, rest = soft_token.uri("x").partition(";object=")
    return f"{before}?{rest.partition('?')[2]}"


def test_a_devices_key_is_made_in_the_token_and_stays_there(line, soft_token, tmp_path):
    line.run(
        "mint", "--model", "EX-100", "--count", 2, "--key", token_uri(soft_token),
        "--split", tmp_path / "stores",
    )  # fmt: skip
    store = tmp_path / "stores" / "EX-100-000002"
    settings = tomllib.loads((store / "device.toml").read_text())
    assert not (store / "idevid.key").exists()
    assert settings["operational_keys"] == token_uri(soft_token)
    key = open_key(settings["idevid_key"])
    assert key.kind is KeyKind.PKCS11
    idevid = x509.load_pem_x509_certificate((store / "idevid.pem").read_bytes())
    assert spki_of(key.public_key()) == spki_of(public_key_of(idevid))
    with pytest.raises(UnsupportedAlgorithm):
        key.crypto_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    record = line.devices()[1]
    assert record.hardware_identity == "pkcs11"
    assert line.factory.seal.open(record.sealed, record.serial_number).idevid_key is None


def test_a_key_that_an_interruption_left_in_the_token_is_used(line, soft_token):
    left = make_key(soft_token.uri("EX-100-000001"))
    line.run("mint", "--model", "EX-100", "--count", 1, "--key", token_uri(soft_token))
    [record] = line.devices()
    certified = public_key_of(x509.load_der_x509_certificate(record.idevid))
    assert spki_of(certified) == spki_of(left.public_key())


def test_a_factory_with_its_keys_in_a_token(soft_token, tmp_path):
    line = make_line(tmp_path, "--key", token_uri(soft_token))
    assert not list((line.directory / "keys").iterdir())
    line.run("mint", "--model", "EX-100", "--count", 2)
    line.run("hand-over", "-o", tmp_path / "m.jsonl")
    assert len(line.manifest(tmp_path / "m.jsonl")) == 2
    assert open_key(soft_token.uri("idevid-root")).sign(b"x", SignatureAlgorithm.ES256)


def test_an_init_that_fails_leaves_no_keys_in_the_token(soft_token, tmp_path):
    make_key(soft_token.uri("voucher-signer"))
    with pytest.raises(AssertionError):
        make_line(tmp_path, "--key", token_uri(soft_token))
    for label in ("idevid-root", "idevid-issuer", "manifest-signer", "voucher-root"):
        with pytest.raises(HomeportError) as caught:
            open_key(soft_token.uri(label))
        assert caught.value.code is Code.KEY_MISSING
    assert open_key(soft_token.uri("voucher-signer")).kind is KeyKind.PKCS11
    assert not (tmp_path / "works").exists()


def test_a_wrong_pin_is_told_and_nothing_is_minted(line, soft_token):
    soft_token.pin_file.write_text("9999\n")
    error = line.refused("mint", "--model", "EX-100", "--count", 1, "--key", token_uri(soft_token))
    assert error["code"] == "key-store-unavailable"
    assert line.serial_numbers() == []
