# SPDX-License-Identifier: Apache-2.0
"""How private keys rest in the archive: AES-256-GCM under a key from the factory's passphrase.

Each record is sealed alone, under a random nonce, and bound to its serial number, so that secrets
cannot be moved between devices. NIST SP 800-38D section 8.3 allows 2^32 records under one key.
"""

import os
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Struct

from homeport.errors import Code, HomeportError
from homeport.keys import Secret

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
COST: Final = 2**15
"""scrypt's N with r = 8: 32 MB and a tenth of a second, once a program start."""
CHECK: Final = b"homeport archive"
"""Sealed in the archive's header: tells a wrong passphrase before anything is written under it."""


class DeviceSecrets(Struct, frozen=True, gc=False):
    """What nobody but the device, or its printer, may know."""

    idevid_key: bytes | None
    """PKCS#8, DER; None when the key lives in a token or came as a request."""
    dpp_key: bytes
    """PKCS#8, DER."""
    claim_code: str


class Seal:
    """Seals and opens records; safe to keep for a program's life, and never printed."""

    def __init__(self, passphrase: Secret, salt: bytes) -> None:
        """Derive the key; takes a tenth of a second."""
        key = Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.reveal().encode())
        self._cipher = AESGCM(key)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(DeviceSecrets)

    def close(self, secrets: DeviceSecrets, serial_number: str) -> bytes:
        """Return the secrets, readable only with the passphrase and for this serial number."""
        return self._encrypt(self._encoder.encode(secrets), serial_number.encode())

    def open(self, sealed: bytes, serial_number: str) -> DeviceSecrets:
        """Return the secrets; raise ARCHIVE_DAMAGED if they are not this device's."""
        try:
            return self._decoder.decode(self._decrypt(sealed, serial_number.encode()))
        except (InvalidTag, ValueError):  # msgspec's errors are ValueErrors
            raise HomeportError(Code.ARCHIVE_DAMAGED, f"secrets of {serial_number}") from None

    def make_check(self) -> bytes:
        """Return what `check` will recognise."""
        return self._encrypt(CHECK, b"")

    def check(self, sealed: bytes) -> None:
        """Raise PASSPHRASE_WRONG unless `make_check` under the same passphrase gave this."""
        try:
            self._decrypt(sealed, b"")
        except (InvalidTag, ValueError):
            raise HomeportError(Code.PASSPHRASE_WRONG, "the archive does not open") from None

    def _encrypt(self, content: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, context)

    def _decrypt(self, sealed: bytes, context: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
