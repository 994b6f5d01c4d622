# SPDX-License-Identifier: Apache-2.0
"""The device's half: it asks for a configuration, takes it or not, and says how joining went.

Calls return what to send and what happened; a failure ends the exchange, and its exception may
hold a last frame for the other side (`DppError.farewell`).

    step = enrollee.start()                 # as Initiator; a Responder says nothing yet
    step = enrollee.receive(frame)          # until Authenticated is among the events
    step = enrollee.ask(request)
    step = enrollee.receive(frame)          # Postponed: come_back(). MoreNeeded: ask(). Configured:
    step = enrollee.accept()                # or reject()
    step = enrollee.report(status)          # if it was wanted
"""

import hmac
import secrets
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.dpp.configuration.objects import (
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
)
from homeport.protocols.dpp.exchange.authenticated import (
    Authenticated,
    Configured,
    DppError,
    MoreNeeded,
    Postponed,
    Step,
    refused,
)
from homeport.protocols.dpp.exchange.fragments import COMEBACKS_MAX, Fragments
from homeport.protocols.dpp.exchange.initiator import Initiator
from homeport.protocols.dpp.exchange.responder import Responder
from homeport.protocols.dpp.exchange.side import Side
from homeport.protocols.dpp.exchange.states import ENROLLEE, REQUESTS_MAX, Move
from homeport.protocols.dpp.messages.configuration import (
    ConfigurationResult,
    RequestSecret,
    ResponseSecret,
    StatusSecret,
)
from homeport.protocols.dpp.points import NONCE_LENGTH, write_point
from homeport.protocols.dpp.wire.frames import (
    ActionFrame,
    ComebackRequest,
    ComebackResponse,
    Frame,
    GasRequest,
    GasResponse,
    check_query,
)
from homeport.protocols.dpp.wire.vocabulary import Role, Status

TIME_UNIT: Final = 1.024e-3
"""Seconds in an 802.11 time unit."""


class Enrollee(Side):
    """One exchange of a device."""

    def __init__(self, handshake: Initiator | Responder) -> None:
        """Take how the sides are authenticated."""
        super().__init__(handshake, ENROLLEE, Role.ENROLLEE)
        self._nonce = b""
        self._token = 0
        self._fragments: Fragments | None = None
        self._comebacks = 0
        self._is_status_wanted = False

    def ask(self, request: ConfigurationRequest) -> Step:
        """Ask for a configuration, once authenticated, or again when more was needed.

        Raise TOO_LARGE, and nothing has happened, if the request does not fit into a frame.
        """
        peer = self._proven(Move.CONFIGURATION_REQUEST)
        if self._token == REQUESTS_MAX:
            self._machine.fail()
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"asked {REQUESTS_MAX} times for more")
        nonce = secrets.token_bytes(NONCE_LENGTH)
        query = RequestSecret(nonce, request.write()).write(peer.ke)
        check_query(query)
        self._machine.make(Move.CONFIGURATION_REQUEST)
        self._nonce, self._fragments = nonce, None
        self._token += 1
        return Step(GasRequest(self._token, query))

    def come_back(self) -> Step:
        """Ask for the answer that was not ready."""
        self._machine.make(Move.COMEBACK_REQUEST)
        return Step(ComebackRequest(self._token))

    def accept(self) -> Step:
        """Say that the configuration is taken."""
        return self._say(
            Status.OK, Move.RESULT_AND_JOINING if self._is_status_wanted else Move.RESULT
        )

    def reject(self) -> Step:
        """Say that the configuration is not taken."""
        return self._say(Status.CONFIGURATION_REJECTED, Move.RESULT)

    def report(self, status: ConnectionStatus) -> Step:
        """Say how joining the network went."""
        peer = self._proven(Move.CONNECTION_STATUS)
        self._machine.make(Move.CONNECTION_STATUS)
        return Step(StatusSecret(self._nonce, status.write()).write(peer.ke))

    def _receive(self, frame: Frame) -> Step:
        match frame:
            case ActionFrame():
                return self._authenticate(frame)
            case GasResponse():
                return self._first_answer(frame)
            case ComebackResponse():
                return self._later_answer(frame)
            case _:
                raise HomeportError(Code.DPP_OUT_OF_ORDER, f"a {type(frame).__name__}")

    def _first_answer(self, frame: GasResponse) -> Step:
        self._check(frame)
        if not frame.comeback_delay:
            return self._answer(frame.query)
        if frame.query:
            raise MalformedError("an answer that is to be fetched later", Code.DPP_MALFORMED)
        return self._later(frame.comeback_delay)

    def _later_answer(self, frame: ComebackResponse) -> Step:
        self._check(frame)
        if not self._comebacks:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, "an answer that nobody came back for")
        if frame.comeback_delay:
            return self._later(frame.comeback_delay)
        self._fragments = self._fragments or Fragments()
        whole = self._fragments.add(frame)
        if whole is not None:
            return self._answer(whole)
        self._machine.make(Move.FRAGMENT)
        return self.come_back()

    def _check(self, frame: GasResponse | ComebackResponse) -> None:
        """Refuse what answers nothing of ours; all ways on begin with having asked."""
        self._machine.check(Move.CONFIGURATION_RESPONSE)
        if frame.token != self._token:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"an answer to request {frame.token}")
        if frame.status:
            raise HomeportError(Code.DPP_REFUSED, f"GAS status {frame.status}")

    def _later(self, delay: int) -> Step:
        self._comebacks += 1
        if self._comebacks > COMEBACKS_MAX:
            raise HomeportError(Code.DPP_LINK_LOST, f"came back {COMEBACKS_MAX} times for nothing")
        self._machine.make(Move.COMEBACK_LATER)
        return Step(event=Postponed(delay * TIME_UNIT))

    def _answer(self, query: bytes) -> Step:
        peer = self._proven(Move.CONFIGURATION_RESPONSE)
        response = ResponseSecret.read(query, peer.ke)
        if not hmac.compare_digest(response.nonce, self._nonce):
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the answer is to another request")
        if response.status not in (Status.OK, Status.REQUEST_NEEDED):
            raise refused("configuration", response.status)
        try:
            objects = _read_objects(response.objects, peer)
        except HomeportError as error:
            farewell = ConfigurationResult(Status.CONFIGURATION_REJECTED, self._nonce)
            raise DppError(error.code, error.detail, farewell.write(peer.ke)) from None
        if response.status == Status.REQUEST_NEEDED:
            self._machine.make(Move.MORE_NEEDED)
            return Step(event=MoreNeeded(objects))
        self._is_status_wanted = response.is_status_wanted
        self._machine.make(Move.CONFIGURATION_RESPONSE)
        return Step(event=Configured(objects, response.is_status_wanted))

    def _say(self, status: Status, move: Move) -> Step:
        peer = self._proven(move)
        self._machine.make(move)
        return Step(ConfigurationResult(status, self._nonce).write(peer.ke))


def _read_objects(
    objects: tuple[bytes, ...], peer: Authenticated
) -> tuple[ConfigurationObject, ...]:
    """Read the objects; those of later releases are passed over while one is for us.

    Raise MalformedError, CONNECTOR_UNPROVEN (also for a connector of another device's key), or
    DPP_INCOMPATIBLE if none is for us.
    """
    known: list[ConfigurationObject] = []
    unknown = HomeportError(Code.DPP_INCOMPATIBLE, "an answer without configuration")
    for octets in objects:
        try:
            known.append(ConfigurationObject.read(octets))
        except HomeportError as error:
            if error.code is not Code.DPP_INCOMPATIBLE:
                raise
            unknown = error
    if not known:
        raise unknown
    own = write_point(peer.own_key.public_key())
    for each in known:
        connector = each.network.credential.connector if each.network else None
        if connector and write_point(connector.access_key) != own:
            raise HomeportError(Code.CONNECTOR_UNPROVEN, "it is for another device's key")
    return tuple(known)
