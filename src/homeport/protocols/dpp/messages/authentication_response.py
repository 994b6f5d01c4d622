# SPDX-License-Identifier: Apache-2.0
"""Message 2, Responder to Initiator: the DPP authentication response (sections 6.2.3 and 8.2).

With mutual authentication it has the Initiator's key hash, too (`is_mutual`); here such a response
is read, and declined by the Initiator.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from homeport.protocols.dpp.messages.fields import read_role, read_version
from homeport.protocols.dpp.messages.sealed import Sealed, read_action, seal, seal_action
from homeport.protocols.dpp.points import HASH_LENGTH, NONCE_LENGTH, POINT_LENGTH
from homeport.protocols.dpp.wire.attributes import Attributes, write_attributes
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import VERSION, ActionType, AttributeId, Role, Status

_A: Final = AttributeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSecret:
    """What an authentication response seals: with k2 if all is well, with k1 if not."""

    initiator_nonce: bytes
    capabilities: Role
    responder_nonce: bytes | None = None
    sealed_tag: Sealed | None = None
    """R-auth, sealed once more with ke."""

    @classmethod
    def read(cls, clear: Attributes) -> Self:
        """Read what was sealed."""
        tag = clear.optional(_A.WRAPPED_DATA)
        return cls(
            initiator_nonce=clear.required(_A.INITIATOR_NONCE, NONCE_LENGTH),
            capabilities=read_role(clear.required(_A.RESPONDER_CAPABILITIES, 1)),
            responder_nonce=clear.optional(_A.RESPONDER_NONCE, NONCE_LENGTH),
            sealed_tag=None if tag is None else Sealed(tag),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationResponse:
    """Responder to Initiator: a protocol key of its own, or a status that says why not."""

    status: int
    responder_key_hash: bytes
    is_mutual: bool
    version: int
    protocol_key: bytes | None
    sealed: Sealed

    @classmethod
    def read(cls, frame: ActionFrame) -> Self:
        """Read a frame; raise MalformedError."""
        clear, sealed = read_action(frame, ActionType.AUTHENTICATION_RESPONSE)
        return cls(
            status=clear.required(_A.STATUS, 1)[0],
            responder_key_hash=clear.required(_A.RESPONDER_KEY_HASH, HASH_LENGTH),
            is_mutual=clear.optional(_A.INITIATOR_KEY_HASH, HASH_LENGTH) is not None,
            version=read_version(clear),
            protocol_key=clear.optional(_A.RESPONDER_PROTOCOL_KEY, POINT_LENGTH),
            sealed=sealed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseKeys:
    """The two keys that a good response is sealed with."""

    k2: bytes = field(repr=False)
    ke: bytes = field(repr=False)


def write_response(
    responder_key_hash: bytes,
    protocol_key: bytes,
    keys: ResponseKeys,
    secret: ResponseSecret,
    tag: bytes,
) -> ActionFrame:
    """Return a response that says OK; `tag` is R-auth."""
    before = write_attributes(
        (_A.STATUS, bytes([Status.OK])),
        (_A.RESPONDER_KEY_HASH, responder_key_hash),
        (_A.RESPONDER_PROTOCOL_KEY, protocol_key),
        (_A.PROTOCOL_VERSION, bytes([VERSION])),
    )
    sealed_tag = seal(keys.ke, write_attributes((_A.RESPONDER_TAG, tag)))
    clear = write_attributes(
        (_A.RESPONDER_NONCE, secret.responder_nonce),
        (_A.INITIATOR_NONCE, secret.initiator_nonce),
        (_A.RESPONDER_CAPABILITIES, bytes([secret.capabilities])),
        (_A.WRAPPED_DATA, sealed_tag),
    )
    return seal_action(ActionType.AUTHENTICATION_RESPONSE, before, keys.k2, clear)


def write_refusal(
    status: Status, responder_key_hash: bytes, key: bytes, secret: ResponseSecret
) -> ActionFrame:
    """Return a response that says why not; `key` is k1 (section 6.2.3)."""
    before = write_attributes(
        (_A.STATUS, bytes([status])),
        (_A.RESPONDER_KEY_HASH, responder_key_hash),
        (_A.PROTOCOL_VERSION, bytes([VERSION])),
    )
    clear = write_attributes(
        (_A.INITIATOR_NONCE, secret.initiator_nonce),
        (_A.RESPONDER_CAPABILITIES, bytes([secret.capabilities])),
    )
    return seal_action(ActionType.AUTHENTICATION_RESPONSE, before, key, clear)
