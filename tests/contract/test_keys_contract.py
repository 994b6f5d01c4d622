# SPDX-License-Identifier: Apache-2.0
"""What every kind of key store must do: file, encrypted file, PKCS#11 token (SoftHSM2)."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fakes.softhsm import SoftToken
from homeport.errors import Code, HomeportError
from homeport.keys import (
    KeyKind,
    SignatureAlgorithm,
    default_algorithm,
    delete_key,
    make_key,
    open_key,
    pkcs11_parts,
    verify_signature,
)
from homeport.pki.authority import Issuer, build_crl, build_root
from homeport.pki.certificates import pem_of
from homeport.pki.requests import build_request, verify_request

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ES256, ES384 = SignatureAlgorithm.ES256, SignatureAlgorithm.ES384


def refusal(call, *arguments) -> Code:
    with pytest.raises(HomeportError) as caught:
        call(*arguments)
    return caught.value.code


class KeyStoreContract:
    """The suite; each kind of store gives a `uri` where no key is yet."""

    kind: KeyKind

    def test_key_signs_and_is_found_again(self, uri):
        made = make_key(uri)
        found = open_key(uri)
        assert made.kind is found.kind is self.kind
        assert found.public_key() == made.public_key()
        signature = found.sign(b"data", ES256)
        assert len(signature) == 64
        verify_signature(made.public_key(), signature, b"data", ES256)

    def test_p384(self, uri):
        key = make_key(uri, "P-384")
        assert default_algorithm(key.public_key()) is ES384
        signature = key.sign(b"data", ES384)
        assert len(signature) == 96
        verify_signature(open_key(uri).public_key(), signature, b"data", ES384)

    def test_other_curves_are_refused(self, uri):
        assert refusal(make_key, uri, "P-521") is Code.KEY_UNSUITABLE
        assert refusal(open_key, uri) is Code.KEY_MISSING

    def test_algorithm_must_fit_the_key(self, uri):
        key = make_key(uri)
        for algorithm in set(SignatureAlgorithm) - {ES256}:
            assert refusal(key.sign, b"data", algorithm) is Code.ALGORITHM_REFUSED

    def test_a_key_is_never_replaced(self, uri):
        before = make_key(uri).public_key()
        assert refusal(make_key, uri) is Code.ALREADY_EXISTS
        assert open_key(uri).public_key() == before

    def test_missing(self, uri):
        assert refusal(open_key, uri) is Code.KEY_MISSING
        assert refusal(delete_key, uri) is Code.KEY_MISSING

    def test_deleted_is_gone_and_its_place_free(self, uri):
        before = make_key(uri).public_key()
        delete_key(uri)
        assert refusal(open_key, uri) is Code.KEY_MISSING
        assert make_key(uri).public_key() != before

    def test_signs_requests_certificates_and_lists_of_cryptography(self, uri):
        key = make_key(uri)
        assert verify_request(build_request(key, "SN-1")).public_key == key.public_key()
        root = build_root(key, "Root", BEGIN, 10)
        root.verify_directly_issued_by(root)
        crl = build_crl(Issuer(root, key), [], BEGIN, BEGIN + timedelta(days=7), 1)
        assert crl.is_signature_valid(key.public_key())

    def test_signs_from_many_threads(self, uri):
        key = make_key(uri)
        signatures: list[bytes] = []

        def sign() -> None:
            signatures.extend(key.sign(b"data", ES256) for _ in range(20))

        threads = [threading.Thread(target=sign) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(signatures) == 80
        for signature in signatures:
            verify_signature(key.public_key(), signature, b"data", ES256)

    def test_shows_its_place_and_no_secret(self, uri):
        key = make_key(uri)
        assert key.uri == uri
        assert uri in repr(key)
        assert "hunter2" not in repr(key) + str(vars(key))


class TestFileKeys(KeyStoreContract):
    kind = KeyKind.FILE

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        return f"file:{tmp_path}/key.pem"


class TestEncryptedFileKeys(KeyStoreContract):
    kind = KeyKind.FILE

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        (tmp_path / "passphrase").write_text("hunter2\n")
        return f"file:{tmp_path}/key.pem?passphrase-source=file:{tmp_path}/passphrase"

    def test_wrong_passphrase(self, uri, tmp_path):
        make_key(uri)
        (tmp_path / "passphrase").write_text("hunter3\n")
        assert refusal(open_key, uri) is Code.KEY_STORE_UNAVAILABLE
        assert refusal(open_key, f"{tmp_path}/key.pem") is Code.KEY_STORE_UNAVAILABLE

    def test_file_is_encrypted(self, uri, tmp_path):
        make_key(uri)
        assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "key.pem").read_bytes()


class TestPkcs11Keys(KeyStoreContract):
    kind = KeyKind.PKCS11

    @pytest.fixture
    def uri(self, soft_token: SoftToken) -> str:
        return soft_token.uri("device key; 1")

    def test_key_never_leaves_the_token(self, uri, soft_token):
        import pkcs11

        make_key(uri)
        module = pkcs11.lib(soft_token.module)
        with module.get_token(token_label=soft_token.label).open() as session:
            private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY)
            assert private[pkcs11.Attribute.SENSITIVE]
            assert private[pkcs11.Attribute.NEVER_EXTRACTABLE]
            assert private[pkcs11.Attribute.TOKEN]
            with pytest.raises(pkcs11.AttributeSensitive):
                private[pkcs11.Attribute.VALUE]

    def test_session_is_opened_again_after_it_was_lost(self, uri):
        from homeport.keys.token import reload_modules

        key = make_key(uri)
        reload_modules()
        verify_signature(key.public_key(), key.sign(b"data", ES256), b"data", ES256)

    def test_session_closed_behind_our_back(self, uri, soft_token):
        import pkcs11

        key = make_key(uri)
        key.sign(b"data", ES256)
        pkcs11.lib(soft_token.module).reinitialize()
        verify_signature(key.public_key(), key.sign(b"data", ES256), b"data", ES256)

    def test_another_library_of_this_process_shares_the_module(self, uri):
        """The agent's MQTT library signs through PKCS#11 by itself, beside us."""
        from awscrt import io

        key = make_key(uri)
        parts = pkcs11_parts(uri)
        assert parts.pin is not None
        certificate = build_root(key, "Device", BEGIN, 10)
        options = io.TlsContextOptions.create_client_with_mtls_pkcs11(
            pkcs11_lib=io.Pkcs11Lib(file=str(parts.module_path)),
            user_pin=parts.pin.reveal(),
            token_label=parts.token_label,
            private_key_label=parts.object_label,
            cert_file_contents=pem_of(certificate).decode(),
        )
        contexts = [io.ClientTlsContext(options) for _ in range(3)]
        assert len(contexts) == 3
        signature = open_key(uri).sign(b"data", ES256)
        verify_signature(key.public_key(), signature, b"data", ES256)

    def test_wrong_pin_is_not_tried_twice(self, uri, soft_token, tmp_path):
        (tmp_path / "pin").write_text("9999")
        wrong = uri.replace(str(soft_token.pin_file), f"{tmp_path}/pin")
        with pytest.raises(HomeportError) as caught:
            open_key(wrong)
        assert caught.value.code is Code.KEY_STORE_UNAVAILABLE
        assert "PinIncorrect" in caught.value.detail
        assert "9999" not in str(caught.value)

    def test_missing_module_token_and_pin_file(self, uri, soft_token):
        for wrong in (
            uri.replace(soft_token.module, "/nowhere/module.so"),
            uri.replace(f"token={soft_token.label}", "token=nobody"),
        ):
            assert refusal(open_key, wrong) is Code.KEY_STORE_UNAVAILABLE

    def test_addressed_by_id(self, soft_token):
        by_id = f"{soft_token.uri('a')}".replace("object=a", "object=a;id=%01%02")
        made = make_key(by_id)
        other = make_key(by_id.replace("%01%02", "%01%03"))
        only_id = by_id.replace("object=a;", "")
        assert open_key(only_id).public_key() == made.public_key() != other.public_key()
        assert refusal(open_key, soft_token.uri("a")) is Code.KEY_MISSING  # two of that label
        delete_key(only_id)
        assert open_key(soft_token.uri("a")).public_key() == other.public_key()

    def test_rsa_keys_in_tokens_are_refused(self, soft_token):
        import pkcs11

        make_key(soft_token.uri("ec"))
        module = pkcs11.lib(soft_token.module)
        with module.get_token(token_label=soft_token.label).open(rw=True) as session:
            session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="rsa", store=True)
        assert refusal(open_key, soft_token.uri("rsa")) is Code.KEY_UNSUITABLE

    def test_crypto_key_only_signs(self, uri):
        from cryptography.exceptions import UnsupportedAlgorithm

        key = make_key(uri).crypto_key()
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.key_size == 256
        with pytest.raises(UnsupportedAlgorithm):
            key.private_numbers()

    def test_labels_are_percent_encoded(self, uri):
        assert quote("device key; 1", safe="") in uri
        make_key(uri)
        assert open_key(uri).uri == uri
