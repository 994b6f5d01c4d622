# SPDX-License-Identifier: Apache-2.0
"""NATS's keys (nkeys): Ed25519, written in base32 with a prefix octet and a checksum.

https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
"""

import base64
import binascii
import secrets
from enum import IntEnum
from typing import Final

import nkeys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import Secret

_KEY_LENGTH: Final = 56
"""Characters: 1 prefix octet, 32 of the key, 2 of the checksum."""


class Role(IntEnum):
    """What a key is for; the prefix octet."""

    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    SERVER = nkeys.PREFIX_BYTE_SERVER
    USER = nkeys.PREFIX_BYTE_USER


def make_seed(role: Role) -> Secret:
    """Make a new key; return its seed."""
    return Secret(nkeys.encode_seed(secrets.token_bytes(32), int(role)).decode())


class SigningKey:
    """A key that signs, from its seed."""

    def __init__(self, seed: Secret) -> None:
        """Read the seed; HomeportError(SETTING_WRONG) if it is none."""
        try:
            self._pair = nkeys.from_seed(bytearray(seed.reveal().strip().encode()))
            self.public: Final[str] = self._pair.public_key.decode()
        except (nkeys.NkeysError, ValueError, TypeError) as error:
            raise HomeportError(Code.SETTING_WRONG, "not the seed of an nkey") from error

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""
        signature: bytes = self._pair.sign(message)
        return signature


def verify(public: str, role: Role, message: bytes, signature: bytes) -> bool:
    """Whether the key signed the message; MalformedError if `public` is no key of that role."""
    key = Ed25519PublicKey.from_public_bytes(_decode(public, role))
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _decode(public: str, role: Role) -> bytes:
    if len(public) != _KEY_LENGTH:
        raise MalformedError("not an nkey")
    try:
        octets = base64.b32decode(public)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("not an nkey") from error
    body, checksum = octets[:-2], octets[-2:]
    if body[0] != role or nkeys.crc16(bytearray(body)).to_bytes(2, "little") != checksum:
        raise MalformedError("not an nkey of this role")
    return body[1:]
