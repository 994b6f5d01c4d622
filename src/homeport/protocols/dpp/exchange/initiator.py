# SPDX-License-Identifier: Apache-2.0
"""The side that speaks first: it knows the other's bootstrapping key from a label (section 6.2)."""

import hmac
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, HomeportError, MalformedError
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
from homeport.protocols.dpp.exchange.states import INITIATOR, Machine, Move, Table
from homeport.protocols.dpp.messages.authentication_confirm import write_confirm, write_decline
from homeport.protocols.dpp.messages.authentication_request import RequestSecret, write_request
from homeport.protocols.dpp.messages.authentication_response import (
    AuthenticationResponse,
    ResponseSecret,
)
from homeport.protocols.dpp.messages.sealed import Sealed
from homeport.protocols.dpp.points import (
    HASH_LENGTH,
    NONCE_LENGTH,
    key_hash,
    make_key,
    read_point,
    write_point,
)
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import VERSION, AttributeId, Role, Status


class Initiator:
    """Authenticates a Responder by the key on its label, once."""

    table: Final[Table] = INITIATOR

    def __init__(self, peer: ec.EllipticCurvePublicKey) -> None:
        """Take the Responder's bootstrapping key."""
        self._peer: Final = peer
        self._peer_hash: Final = key_hash(peer)
        # Ours is made for this exchange: nobody can recognise us by its hash, and mutual
        # authentication, which would need a label of ours, is declined.
        self._own_hash: Final = key_hash(make_key().public_key())
        self._key: Final = make_key()
        self._nonce: Final = secrets.token_bytes(NONCE_LENGTH)
        self._m: Final = agree(self._key, peer)

    def start(self, machine: Machine, role: Role) -> Step:
        """Return the authentication request."""
        machine.make(Move.AUTHENTICATION_REQUEST)
        secret = RequestSecret(nonce=self._nonce, capabilities=role)
        point = write_point(self._key.public_key())
        k1 = first_key(self._m)
        return Step(write_request(self._peer_hash, self._own_hash, point, k1, secret))

    def receive(self, frame: ActionFrame, machine: Machine, role: Role) -> Step:
        """Take the response; return the confirm and what was authenticated.

        Raise MalformedError; DPP_PEER_UNPROVEN if the other side does not hold the label's key;
        DPP_REFUSED or DPP_INCOMPATIBLE if it does and will not.
        """
        machine.check(Move.AUTHENTICATION_RESPONSE)
        response = AuthenticationResponse.read(frame)
        if not hmac.compare_digest(response.responder_key_hash, self._peer_hash):
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the response names another key")
        if response.status != Status.OK:
            raise self._refusal(response)
        if response.is_mutual:
            raise HomeportError(Code.DPP_INCOMPATIBLE, "mutual authentication is asked for")
        if response.version < VERSION:
            raise HomeportError(Code.DPP_INCOMPATIBLE, f"release {response.version}")
        step = self._confirm(response, role)
        machine.make(Move.AUTHENTICATION_RESPONSE)
        return step

    def _confirm(self, response: AuthenticationResponse, role: Role) -> Step:
        if response.protocol_key is None:
            raise MalformedError("a response without protocol key", Code.DPP_MALFORMED)
        peer_key = read_point(response.protocol_key)
        n = agree(self._key, peer_key)
        k2 = second_key(n)
        secret = ResponseSecret.read(response.sealed.open(k2))
        if not hmac.compare_digest(secret.initiator_nonce, self._nonce):
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the response is to another request")
        if secret.responder_nonce is None or secret.sealed_tag is None:
            raise MalformedError("a response without nonce or tag", Code.DPP_MALFORMED)
        transcript = Transcript(
            initiator_nonce=self._nonce,
            responder_nonce=secret.responder_nonce,
            initiator_key=self._key.public_key(),
            responder_key=peer_key,
            bootstrapping_key=self._peer,
        )
        ke = last_key(transcript, self._m, n)
        fault = _fault(secret, role, ke, transcript)
        if fault is not None:
            status, code, reason = fault
            farewell = write_decline(status, self._peer_hash, k2, secret.responder_nonce)
            raise DppError(code, reason, farewell)
        confirm = write_confirm(self._peer_hash, ke, initiator_tag(transcript))
        done = Authenticated(
            ke=ke, own_key=self._key, peer_key=peer_key, peer_version=response.version
        )
        return Step(confirm, done)

    def _refusal(self, response: AuthenticationResponse) -> HomeportError:
        """Return the failure that a refusal means, once it is known to be the Responder's."""
        secret = ResponseSecret.read(response.sealed.open(first_key(self._m)))
        if not hmac.compare_digest(secret.initiator_nonce, self._nonce):
            return HomeportError(Code.DPP_PEER_UNPROVEN, "the refusal is of another request")
        if response.status == Status.NOT_COMPATIBLE:
            return HomeportError(Code.DPP_INCOMPATIBLE, "the other side plays the same role")
        if response.status == Status.RESPONSE_PENDING:
            return HomeportError(Code.DPP_INCOMPATIBLE, "mutual authentication is asked for")
        return refused("authentication", response.status)


def _fault(
    secret: ResponseSecret, role: Role, ke: bytes, transcript: Transcript
) -> tuple[Status, Code, str] | None:
    """Say what is wrong with a response that could be opened."""
    if secret.capabilities != ~role & (Role.ENROLLEE | Role.CONFIGURATOR):
        return Status.NOT_COMPATIBLE, Code.DPP_INCOMPATIBLE, "the other side plays the same role"
    try:
        tag = _opened_tag(secret.sealed_tag, ke)
    except HomeportError as error:
        return Status.AUTHENTICATION_FAILURE, error.code, "the Responder's tag cannot be read"
    if not hmac.compare_digest(tag, responder_tag(transcript)):
        return Status.AUTHENTICATION_FAILURE, Code.DPP_PEER_UNPROVEN, "the Responder's tag is wrong"
    return None


def _opened_tag(sealed: Sealed | None, ke: bytes) -> bytes:
    if sealed is None:
        raise MalformedError("a response without tag", Code.DPP_MALFORMED)
    return sealed.open(ke).required(AttributeId.RESPONDER_TAG, HASH_LENGTH)
