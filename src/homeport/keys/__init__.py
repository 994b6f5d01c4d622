# SPDX-License-Identifier: Apache-2.0
"""Private keys, wherever they live: opened by URI, asked to sign, never handed out."""

from homeport.keys.algorithms import (
    CryptoKey,
    PublicKey,
    SignatureAlgorithm,
    algorithms_of,
    default_algorithm,
    suitable,
    verify_signature,
)
from homeport.keys.file import FileKey
from homeport.keys.open import delete_key, make_key, open_key
from homeport.keys.private_key import KeyKind, PrivateKey
from homeport.keys.secret import Secret, read_secret
from homeport.keys.uri import KeyUri, Pkcs11Parts, parse_key_uri, pkcs11_parts

__all__ = [
    "CryptoKey",
    "FileKey",
    "KeyKind",
    "KeyUri",
    "Pkcs11Parts",
    "PrivateKey",
    "PublicKey",
    "Secret",
    "SignatureAlgorithm",
    "algorithms_of",
    "default_algorithm",
    "delete_key",
    "make_key",
    "open_key",
    "parse_key_uri",
    "pkcs11_parts",
    "read_secret",
    "suitable",
    "verify_signature",
]
