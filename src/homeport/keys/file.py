# SPDX-License-Identifier: Apache-2.0
"""Private keys in files: PKCS#8 PEM (RFC 5958), encrypted when a passphrase file is named.

For development, and for CA keys that an operator guards by other means: whoever reads the file
has the key.
"""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from homeport.errors import Code, HomeportError
from homeport.files import create_private_file, sync_directory
from homeport.keys.algorithms import (
    ECDSA,
    RSA_PADDING,
    SHA256,
    CryptoKey,
    PublicKey,
    SignatureAlgorithm,
    algorithms_of,
    jose_from_der,
)
from homeport.keys.private_key import KeyKind
from homeport.keys.secret import Secret
from homeport.keys.uri import FileUri

KEY_FILE_LIMIT: Final = 16_384
"""Bytes; an encrypted RSA-4096 key takes 3.5 kB."""

CURVES: Final = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}
"""The curves a new key may have, by their NIST names."""


class FileKey:
    """A private key in this process's memory, as read from a file."""

    kind: Final = KeyKind.FILE

    def __init__(self, uri: str, key: CryptoKey) -> None:
        """Take the key and where it came from; raise KEY_UNSUITABLE for other kinds of key."""
        self.uri: Final = uri
        self._key = key
        self._public_key = key.public_key()
        self._algorithms = algorithms_of(self._public_key)

    def __repr__(self) -> str:
        return f"FileKey({self.uri!r})"

    def public_key(self) -> PublicKey:
        """Return the public half."""
        return self._public_key

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """Hash and sign; JOSE form. Raise ALGORITHM_REFUSED if it does not fit the key."""
        if algorithm not in self._algorithms:
            raise HomeportError(Code.ALGORITHM_REFUSED, f"{algorithm} with {self._algorithms[0]}")
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return jose_from_der(self._key.sign(data, ECDSA[algorithm]), algorithm)
        return self._key.sign(data, RSA_PADDING[algorithm], SHA256)

    def crypto_key(self) -> CryptoKey:
        """Return the key for the builders of `cryptography.x509`."""
        return self._key


def open_file_key(uri: FileUri) -> FileKey:
    """Read a key file.

    Raise KEY_MISSING if there is none, KEY_STORE_UNAVAILABLE if it cannot be read or decrypted,
    KEY_UNSUITABLE for a kind of key that we do not use.
    """
    try:
        with uri.path.open("rb") as file:
            content = file.read(KEY_FILE_LIMIT)
    except FileNotFoundError:
        raise HomeportError(Code.KEY_MISSING, str(uri.path)) from None
    except OSError as error:
        detail = f"{uri.path}: {error.strerror}"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None
    return FileKey(str(uri), _load(content, uri))


def make_file_key(uri: FileUri, curve: str) -> FileKey:
    """Make a key in a new file of mode 0600; raise ALREADY_EXISTS rather than replace one."""
    key = ec.generate_private_key(curve_named(curve))
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        _encryption(uri.passphrase()),
    )
    try:
        create_private_file(uri.path, content)
    except FileExistsError:
        raise HomeportError(Code.ALREADY_EXISTS, str(uri.path)) from None
    except OSError as error:
        detail = f"{uri.path}: {error.strerror}"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None
    return FileKey(str(uri), key)


def delete_file_key(uri: FileUri) -> None:
    """Remove the file; raise KEY_MISSING if there is none."""
    try:
        uri.path.unlink()
        sync_directory(uri.path.parent)
    except FileNotFoundError:
        raise HomeportError(Code.KEY_MISSING, str(uri.path)) from None
    except OSError as error:
        detail = f"{uri.path}: {error.strerror}"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None


def curve_named(name: str) -> ec.EllipticCurve:
    """Return the curve of that NIST name; raise KEY_UNSUITABLE for any but P-256 and P-384."""
    if name not in CURVES:
        raise HomeportError(Code.KEY_UNSUITABLE, f"curve {name}")
    return CURVES[name]()


def _encryption(passphrase: Secret | None) -> serialization.KeySerializationEncryption:
    if passphrase is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(passphrase.reveal().encode())


def _load(content: bytes, uri: FileUri) -> CryptoKey:
    secret = uri.passphrase()
    password = secret.reveal().encode() if secret else None
    try:
        key = serialization.load_pem_private_key(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # OpenSSL's words differ between versions and help nobody; TypeError means that a
        # passphrase was given for a plain file, or none for an encrypted one.
        detail = f"{uri.path}: not a PKCS#8 PEM file, or the passphrase is wrong or missing"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise HomeportError(Code.KEY_UNSUITABLE, f"{uri.path}: neither EC nor RSA")
    return key
