# SPDX-License-Identifier: Apache-2.0
"""The port of this room: "sign this", wherever the private key lives.

Nobody outside asks for the private key itself, so a file, a PKCS#11 token and later a TPM 2.0
are the same to them. Whoever implements it passes `tests/contract/test_keys_contract.py`.
"""

from enum import StrEnum
from typing import Protocol

from homeport.keys.algorithms import CryptoKey, PublicKey, SignatureAlgorithm


class KeyKind(StrEnum):
    """Where a private key lives.

    A key in a file can be copied: it is for development only, and shown as such wherever a device
    is shown. A TPM 2.0 joins here with its file in this room and its row in `open.py`.
    """

    FILE = "file"
    PKCS11 = "pkcs11"


class PrivateKey(Protocol):
    """A private key that signs. Safe to use from several threads."""

    @property
    def uri(self) -> str:
        """Where the key lives. Holds no secret."""
        ...

    @property
    def kind(self) -> KeyKind:
        """What sort of place that is."""
        ...

    def public_key(self) -> PublicKey:
        """Return the public half; it is read once, when the key is opened."""
        ...

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """Hash and sign `data`. The result is in JOSE form: r and s side by side for ES*.

        Raise ALGORITHM_REFUSED if the algorithm does not fit the key, and KEY_STORE_UNAVAILABLE
        if the token does not answer.
        """
        ...

    def crypto_key(self) -> CryptoKey:
        """Return the key in the form that the builders of `cryptography.x509` sign with."""
        ...
