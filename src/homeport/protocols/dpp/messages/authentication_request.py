# SPDX-License-Identifier: Apache-2.0
"""Message 1, Initiator to Responder: the DPP authentication request (sections 6.2.2 and 8.2)."""

from dataclasses import dataclass
from typing import Final, Self

from homeport.protocols.dpp.messages.fields import read_role, read_version
from homeport.protocols.dpp.messages.sealed import Sealed, read_action, seal_action
from homeport.protocols.dpp.points import HASH_LENGTH, NONCE_LENGTH, POINT_LENGTH
from homeport.protocols.dpp.wire.attributes import Attributes, write_attributes
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import VERSION, ActionType, AttributeId, Role

_A: Final = AttributeId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSecret:
    """What an authentication request seals with k1."""

    nonce: bytes
    capabilities: Role

    def write(self) -> bytes:
        """Return the attributes to seal."""
        return write_attributes(
            (_A.INITIATOR_NONCE, self.nonce),
            (_A.INITIATOR_CAPABILITIES, bytes([self.capabilities])),
        )

    @classmethod
    def read(cls, clear: Attributes) -> Self:
        """Read what was sealed."""
        return cls(
            nonce=clear.required(_A.INITIATOR_NONCE, NONCE_LENGTH),
            capabilities=read_role(clear.required(_A.INITIATOR_CAPABILITIES, 1)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationRequest:
    """Initiator to Responder: hashes of both bootstrapping keys, a fresh protocol key, a nonce."""

    responder_key_hash: bytes
    initiator_key_hash: bytes
    protocol_key: bytes
    """x and y; not yet known to be on the curve."""
    version: int
    channel: bytes | None = None
    """Operating class and channel to go on at; nothing to a byte stream."""
    sealed: Sealed

    @classmethod
    def read(cls, frame: ActionFrame) -> Self:
        """Read a frame; raise MalformedError."""
        clear, sealed = read_action(frame, ActionType.AUTHENTICATION_REQUEST)
        return cls(
            responder_key_hash=clear.required(_A.RESPONDER_KEY_HASH, HASH_LENGTH),
            initiator_key_hash=clear.required(_A.INITIATOR_KEY_HASH, HASH_LENGTH),
            protocol_key=clear.required(_A.INITIATOR_PROTOCOL_KEY, POINT_LENGTH),
            version=read_version(clear),
            channel=clear.optional(_A.CHANNEL, 2),
            sealed=sealed,
        )


def write_request(
    responder_key_hash: bytes,
    initiator_key_hash: bytes,
    protocol_key: bytes,
    key: bytes,
    secret: RequestSecret,
) -> ActionFrame:
    """Return an authentication request; `key` is k1."""
    before = write_attributes(
        (_A.RESPONDER_KEY_HASH, responder_key_hash),
        (_A.INITIATOR_KEY_HASH, initiator_key_hash),
        (_A.INITIATOR_PROTOCOL_KEY, protocol_key),
        (_A.PROTOCOL_VERSION, bytes([VERSION])),
    )
    return seal_action(ActionType.AUTHENTICATION_REQUEST, before, key, secret.write())
