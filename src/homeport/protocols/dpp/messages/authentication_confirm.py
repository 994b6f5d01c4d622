# SPDX-License-Identifier: Apache-2.0
"""Message 3, Initiator to Responder: the DPP authentication confirm (sections 6.2.4 and 8.2)."""

from dataclasses import dataclass
from typing import Final, Self

from homeport.protocols.dpp.messages.sealed import Sealed, read_action, seal_action
from homeport.protocols.dpp.points import HASH_LENGTH
from homeport.protocols.dpp.wire.attributes import write_attributes
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import ActionType, AttributeId, Status

_A: Final = AttributeId


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
