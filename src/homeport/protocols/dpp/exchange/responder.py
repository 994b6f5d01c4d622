# SPDX-License-Identifier: Apache-2.0
"""The side that is spoken to: its bootstrapping key is on its label (section 6.2).

A request for another key, or one that was not sealed for ours, is answered by nothing: whoever
cannot read the label learns not even that we are here. One side answers one request.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.exchange.authenticated import Authenticated, DppError, Step, refused
from homeport.protocols.dpp.exchange.schedule import (
    Transcript,
    agree,
    first_key,
    initiator_tag,
    last_key,
    responder_tag,
    second_key,
)
from homeport.protocols.dpp.exchange.states import RESPONDER, Machine, Move, Table
from homeport.protocols.dpp.messages.authentication_confirm import AuthenticationConfirm
from homeport.protocols.dpp.messages.authentication_request import (
    AuthenticationRequest,
    RequestSecret,
)
from homeport.protocols.dpp.messages.authentication_response import (
    ResponseKeys,
    ResponseSecret,
    write_refusal,
    write_response,
)
from homeport.protocols.dpp.points import (
    HASH_LENGTH,
    NONCE_LENGTH,
    KeyAgreement,
    key_hash,
    make_key,
    read_point,
    write_point,
)
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import VERSION, AttributeId, Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offered:
    """What waits for the Initiator's tag."""

    k2: bytes = field(repr=False)
    expected_tag: bytes = field(repr=False)
    authenticated: Authenticated


class Responder:
    """Is authenticated by its bootstrapping key, once."""

    table: Final[Table] = RESPONDER

    def __init__(self, bootstrapping: KeyAgreement) -> None:
        """Take our bootstrapping key."""
        self._bootstrapping: Final = bootstrapping
        self._hash: Final = key_hash(bootstrapping.public_key())
        self._key: Final = make_key()
        self._nonce: Final = secrets.token_bytes(NONCE_LENGTH)
        self._offered: _Offered | None = None

    def start(self, machine: Machine, role: Role) -> Step:  # noqa: ARG002 (the Initiator's has both)
        """Say nothing: the other side begins."""
        return Step()

    def receive(self, frame: ActionFrame, machine: Machine, role: Role) -> Step:
        """Take the request or the confirm.

        Raise MalformedError; DPP_KEY_UNKNOWN if the request is for another device;
        DPP_PEER_UNPROVEN if the other side cannot read our label, or somebody is between us;
        DPP_REFUSED or DPP_INCOMPATIBLE.
        """
        if self._offered is None:
            machine.check(Move.AUTHENTICATION_REQUEST)
            step = self._respond(AuthenticationRequest.read(frame), role)
            machine.make(Move.AUTHENTICATION_REQUEST)
            return step
        machine.check(Move.AUTHENTICATION_CONFIRM)
        step = self._finish(AuthenticationConfirm.read(frame), self._offered)
        machine.make(Move.AUTHENTICATION_CONFIRM)
        return step

    def _respond(self, request: AuthenticationRequest, role: Role) -> Step:
        if not hmac.compare_digest(request.responder_key_hash, self._hash):
            raise HomeportError(Code.DPP_KEY_UNKNOWN)
        peer_key = read_point(request.protocol_key)
        m = agree(self._bootstrapping, peer_key)
        k1 = first_key(m)
        secret = RequestSecret.read(request.sealed.open(k1))
        answer = ResponseSecret(initiator_nonce=secret.nonce, capabilities=role)
        wanted = ~role & (Role.ENROLLEE | Role.CONFIGURATOR)
        if request.version < VERSION or not secret.capabilities & wanted:
            refusal = write_refusal(Status.NOT_COMPATIBLE, self._hash, k1, answer)
            reason = f"release {request.version}, role {secret.capabilities.name or 0}"
            raise DppError(Code.DPP_INCOMPATIBLE, reason, refusal)
        n = agree(self._key, peer_key)
        transcript = Transcript(
            initiator_nonce=secret.nonce,
            responder_nonce=self._nonce,
            initiator_key=peer_key,
            responder_key=self._key.public_key(),
            bootstrapping_key=self._bootstrapping.public_key(),
        )
        keys = ResponseKeys(k2=second_key(n), ke=last_key(transcript, m, n))
        self._offered = _Offered(
            k2=keys.k2,
            expected_tag=initiator_tag(transcript),
            authenticated=Authenticated(
                ke=keys.ke,
                own_key=self._key,
                peer_key=peer_key,
                peer_version=request.version,
            ),
        )
        answer = ResponseSecret(
            initiator_nonce=secret.nonce, capabilities=role, responder_nonce=self._nonce
        )
        point = write_point(self._key.public_key())
        tag = responder_tag(transcript)
        return Step(write_response(self._hash, point, keys, answer, tag))

    def _finish(self, confirm: AuthenticationConfirm, offered: _Offered) -> Step:
        if not hmac.compare_digest(confirm.responder_key_hash, self._hash) or confirm.is_mutual:
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the confirm is of another exchange")
        if confirm.status != Status.OK:
            clear = confirm.sealed.open(offered.k2)
            nonce = clear.required(AttributeId.RESPONDER_NONCE, NONCE_LENGTH)
            if not hmac.compare_digest(nonce, self._nonce):
                raise HomeportError(Code.DPP_PEER_UNPROVEN, "the refusal is of another exchange")
            raise refused("authentication", confirm.status)
        clear = confirm.sealed.open(offered.authenticated.ke)
        tag = clear.required(AttributeId.INITIATOR_TAG, HASH_LENGTH)
        if not hmac.compare_digest(tag, offered.expected_tag):
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the Initiator's tag is wrong")
        return Step(event=offered.authenticated)
