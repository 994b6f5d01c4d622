# SPDX-License-Identifier: Apache-2.0
"""The installer's half: it answers a device's request, and hears whether it helped.

step = configurator.start()             # as Initiator; a Responder says nothing yet
step = configurator.receive(frame)      # Authenticated, then Asked
step = configurator.answer(objects)     # or need(), refuse(), or postpone(): Asked once more
step = configurator.receive(frame)      # Accepted, and Joined if it was wanted
"""

import hmac
from collections.abc import Sequence
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.dpp.configuration.objects import (
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
)
from homeport.protocols.dpp.exchange.authenticated import (
    Accepted,
    Asked,
    DppError,
    Joined,
    Step,
    refused,
)
from homeport.protocols.dpp.exchange.fragments import COMEBACKS_MAX, cut
from homeport.protocols.dpp.exchange.initiator import Initiator
from homeport.protocols.dpp.exchange.responder import Responder
from homeport.protocols.dpp.exchange.side import Side
from homeport.protocols.dpp.exchange.states import CONFIGURATOR, REQUESTS_MAX, Move, State
from homeport.protocols.dpp.messages.configuration import (
    ConfigurationResult,
    RequestSecret,
    ResponseSecret,
    StatusSecret,
)
from homeport.protocols.dpp.wire.frames import (
    QUERY_MAX,
    ActionFrame,
    ComebackRequest,
    ComebackResponse,
    Frame,
    GasRequest,
    GasResponse,
    check_query,
)
from homeport.protocols.dpp.wire.vocabulary import Role, Status

COMEBACK_UNITS: Final = 500
"""Time units of 1.024 ms: half a second, as in wpa_supplicant 2.10."""
UNITS_MAX: Final = 58_593
"""A minute; our devices come back after it, whatever they were told."""
FRAGMENT_UNITS: Final = 1
"""The first fragment is ready at once; no delay at all would say that this is the answer."""
_OPEN: Final = frozenset({State.BEGINNING, State.AUTHENTICATING})


class Configurator(Side):
    """One exchange of an installer with a device."""

    def __init__(self, handshake: Initiator | Responder, *, fragment_size: int = QUERY_MAX) -> None:
        """Take how the sides are authenticated, and how much fits into one GAS frame (bytes)."""
        super().__init__(handshake, CONFIGURATOR, Role.CONFIGURATOR)
        self._fragment_size: Final = fragment_size
        self._nonce = b""
        """Of the request that is answered; none before the first."""
        self._asked: Asked | None = None
        self._nonces: Final[set[bytes]] = set()
        self._token = 0
        self._has_come_back = False
        self._comebacks = 0
        self._fragments: list[ComebackResponse] = []
        self._last_move = Move.CONFIGURATION_RESPONSE
        self._is_status_wanted = False

    def answer(
        self, objects: Sequence[ConfigurationObject], *, is_status_wanted: bool = False
    ) -> Step:
        """Give the configuration, the preferred object first.

        Raise TOO_LARGE, and nothing has happened, if it does not fit into a frame.
        """
        step = self._answer(Status.OK, objects, Move.CONFIGURATION_RESPONSE, is_status_wanted)
        self._is_status_wanted = is_status_wanted
        return step

    def need(self, *objects: ConfigurationObject) -> Step:
        """Have the device ask again, with what the objects' third-party members say is missing.

        The status is that of the standard's "CSR needed"; only for devices that showed in their
        request that they know the member.
        """
        return self._answer(Status.REQUEST_NEEDED, objects, Move.MORE_NEEDED)

    def refuse(self, status: Status = Status.CONFIGURE_FAILURE) -> Step:
        """Give no configuration; the exchange is over."""
        return self._answer(status, (), Move.REFUSAL)

    def postpone(self, units: int = COMEBACK_UNITS) -> Step:
        """Have the device come back after some time units of 1.024 ms; it is Asked again then.

        Raise MalformedError, and nothing has happened, for no delay or one of over a minute.
        """
        check_units(units)
        self._machine.make(Move.COMEBACK_LATER)
        return Step(self._response(b"", units))

    def _receive(self, frame: Frame) -> Step:
        match frame:
            case GasRequest():
                return self._receive_request(frame)
            case ComebackRequest():
                return self._receive_comeback(frame)
            case ActionFrame() if self.state in _OPEN:
                return self._authenticate(frame)
            case ActionFrame() if self.state is State.JOINING:
                return self._receive_status(frame)
            case ActionFrame():
                return self._receive_result(frame)
            case _:
                raise HomeportError(Code.DPP_OUT_OF_ORDER, f"a {type(frame).__name__}")

    def _receive_request(self, frame: GasRequest) -> Step:
        peer = self._proven(Move.CONFIGURATION_REQUEST)
        secret = RequestSecret.read(frame.query, peer.ke)
        if secret.nonce in self._nonces:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, "the same request again")
        if len(self._nonces) == REQUESTS_MAX:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"asked more than {REQUESTS_MAX} times")
        self._nonces.add(secret.nonce)
        try:
            request = ConfigurationRequest.read(secret.attributes)
        except HomeportError as error:
            refusal = ResponseSecret(status=Status.CONFIGURE_FAILURE, nonce=secret.nonce)
            farewell = GasResponse(frame.token, refusal.write(peer.ke))
            raise DppError(error.code, error.detail, farewell) from None
        self._machine.make(Move.CONFIGURATION_REQUEST)
        self._nonce, self._token, self._has_come_back = secret.nonce, frame.token, False
        self._asked = Asked(request, peer.peer_key)
        return Step(event=self._asked)

    def _receive_comeback(self, frame: ComebackRequest) -> Step:
        self._proven(Move.COMEBACK_REQUEST)
        if frame.token != self._token or self._asked is None:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"back for request {frame.token}")
        self._machine.make(Move.COMEBACK_REQUEST)
        self._has_come_back = True
        self._comebacks += 1
        if self._comebacks > COMEBACKS_MAX:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"came back {COMEBACKS_MAX} times")
        if self._fragments:
            return self._next_fragment()
        return Step(event=self._asked)

    def _receive_result(self, frame: ActionFrame) -> Step:
        peer = self._proven(Move.RESULT)
        result = ConfigurationResult.read(frame, peer.ke)
        self._check_nonce(result.nonce)
        if result.status != Status.OK:
            raise refused("configuration", result.status)
        self._machine.make(Move.RESULT_AND_JOINING if self._is_status_wanted else Move.RESULT)
        return Step(event=Accepted(self._is_status_wanted))

    def _receive_status(self, frame: ActionFrame) -> Step:
        peer = self._proven(Move.CONNECTION_STATUS)
        secret = StatusSecret.read(frame, peer.ke)
        self._check_nonce(secret.nonce)
        status = ConnectionStatus.read(secret.connection)
        self._machine.make(Move.CONNECTION_STATUS)
        return Step(event=Joined(status))

    def _check_nonce(self, nonce: bytes) -> None:
        if self._asked is None or not hmac.compare_digest(nonce, self._nonce):
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "the result is of another request")

    def _answer(
        self,
        status: Status,
        objects: Sequence[ConfigurationObject],
        move: Move,
        is_status_wanted: bool = False,  # noqa: FBT001, FBT002 (named where people call it)
    ) -> Step:
        peer = self._proven(move)
        secret = ResponseSecret(
            status=status,
            nonce=self._nonce,
            objects=tuple(each.write() for each in objects),
            is_status_wanted=is_status_wanted,
        )
        query = secret.write(peer.ke)
        check_query(query)
        if len(query) <= self._fragment_size:
            self._machine.make(move)
            return Step(self._response(query))
        self._fragments = list(cut(self._token, query, self._fragment_size))
        self._last_move = move
        return self._next_fragment() if self._has_come_back else self.postpone(FRAGMENT_UNITS)

    def _next_fragment(self) -> Step:
        fragment = self._fragments.pop(0)
        self._machine.make(Move.FRAGMENT if fragment.has_more else self._last_move)
        return Step(fragment)

    def _response(self, query: bytes, delay: int = 0) -> GasResponse | ComebackResponse:
        """Answer the frame that asked: the request itself, or having come back."""
        if self._has_come_back:
            return ComebackResponse(self._token, query, comeback_delay=delay)
        return GasResponse(self._token, query, comeback_delay=delay)


def check_units(units: int) -> None:
    """Refuse what is no delay (0 says that the answer is here), or is over a minute."""
    if not 0 < units <= UNITS_MAX:
        raise MalformedError(f"a delay of {units} units, 1 to {UNITS_MAX}", Code.DPP_MALFORMED)
