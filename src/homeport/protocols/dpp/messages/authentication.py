# SPDX-License-Identifier: Apache-2.0
"""The three messages of DPP authentication (sections 6.2 and 8.2).

Responder-only: the Initiator knows the Responder's bootstrapping key and not the other way round.
Mutual authentication adds the Initiator's key hash to response and confirm; here such a response
is read (`is_mutual`) and declined by the Initiator.
"""

from dataclasses import dataclass
from typing import Final, Self

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.messages.sealed import Sealed, read_action, seal, seal_action
from homeport.protocols.dpp.points import COORDINATE_LENGTH, HASH_LENGTH, NONCE_LENGTH
from homeport.protocols.dpp.wire.attributes import Attributes, write_attributes
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import VERSION, ActionType, AttributeId, Role, Status

_POINT: Final = 2 * COORDINATE_LENGTH
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
            capabilities=_role(clear.required(_A.INITIATOR_CAPABILITIES, 1)),
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
            protocol_key=clear.required(_A.INITIATOR_PROTOCOL_KEY, _POINT),
            version=_version(clear),
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
            capabilities=_role(clear.required(_A.RESPONDER_CAPABILITIES, 1)),
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
            version=_version(clear),
            protocol_key=clear.optional(_A.RESPONDER_PROTOCOL_KEY, _POINT),
            sealed=sealed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseKeys:
    """The two keys that a good response is sealed with."""

    k2: bytes
    ke: bytes


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationConfirm:
    """Initiator to Responder: I-auth sealed with ke, or the nonce sealed with k2 and a status."""

    status: int
    responder_key_hash: bytes
    is_mutual: bool
    sealed: Sealed

    @classmethod
    def read(cls, frame: ActionFrame) -> Self:
        """Read a frame; raise MalformedError."""
        clear, sealed = read_action(frame, ActionType.AUTHENTICATION_CONFIRM)
        return cls(
            status=clear.required(_A.STATUS, 1)[0],
            responder_key_hash=clear.required(_A.RESPONDER_KEY_HASH, HASH_LENGTH),
            is_mutual=clear.optional(_A.INITIATOR_KEY_HASH, HASH_LENGTH) is not None,
            sealed=sealed,
        )


def write_confirm(responder_key_hash: bytes, ke: bytes, tag: bytes) -> ActionFrame:
    """Return a confirm that says OK; `tag` is I-auth."""
    clear = write_attributes((_A.INITIATOR_TAG, tag))
    return _confirm(Status.OK, responder_key_hash, ke, clear)


def write_decline(
    status: Status, responder_key_hash: bytes, k2: bytes, responder_nonce: bytes
) -> ActionFrame:
    """Return a confirm that says why the Initiator goes no further (section 6.2.4)."""
    clear = write_attributes((_A.RESPONDER_NONCE, responder_nonce))
    return _confirm(status, responder_key_hash, k2, clear)


def _confirm(status: Status, responder_key_hash: bytes, key: bytes, clear: bytes) -> ActionFrame:
    before = write_attributes(
        (_A.STATUS, bytes([status])), (_A.RESPONDER_KEY_HASH, responder_key_hash)
    )
    return seal_action(ActionType.AUTHENTICATION_CONFIRM, before, key, clear)


def _version(clear: Attributes) -> int:
    """Return the version; a message without one is of release 1 (section 8.1)."""
    version = clear.optional(_A.PROTOCOL_VERSION, 1)
    if version == b"\0":
        raise MalformedError("protocol version 0", Code.DPP_MALFORMED)
    return version[0] if version else 1


def _role(octet: bytes) -> Role:
    """Return the roles; the other bits are reserved."""
    return Role(octet[0] & (Role.ENROLLEE | Role.CONFIGURATOR))
