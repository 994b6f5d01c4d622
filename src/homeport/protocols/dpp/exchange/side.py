# SPDX-License-Identifier: Apache-2.0
"""What both sides of an exchange have: a state, an authentication, an end when anything fails."""

from abc import ABC, abstractmethod
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.exchange.authenticated import Authenticated, Step
from homeport.protocols.dpp.exchange.initiator import Initiator
from homeport.protocols.dpp.exchange.responder import Responder
from homeport.protocols.dpp.exchange.states import Machine, Move, State, Table
from homeport.protocols.dpp.wire.frames import ActionFrame, Frame, read_frame
from homeport.protocols.dpp.wire.vocabulary import Role


class Side(ABC):
    """An Enrollee or a Configurator."""

    def __init__(self, handshake: Initiator | Responder, table: Table, role: Role) -> None:
        """Take how the sides are authenticated, what may happen then, and what this one is."""
        self._handshake: Final = handshake
        self._machine: Final = Machine(handshake.table, table)
        self._role: Final = role
        self._peer: Authenticated | None = None

    @property
    def state(self) -> State:
        """Where the exchange stands."""
        return self._machine.state

    def start(self) -> Step:
        """Begin; an Initiator gets its first frame."""
        return self._handshake.start(self._machine, self._role)

    def receive(self, octets: bytes) -> Step:
        """Take a frame; raise a HomeportError, after which the exchange is over."""
        try:
            return self._receive(read_frame(octets))
        except HomeportError:
            self._machine.fail()
            raise

    @abstractmethod
    def _receive(self, frame: Frame) -> Step:
        """Take a frame; raise a HomeportError for what is none here."""

    def _authenticate(self, frame: ActionFrame) -> Step:
        step = self._handshake.receive(frame, self._machine, self._role)
        if isinstance(step.event, Authenticated):
            self._peer = step.event
        return step

    def _proven(self, move: Move) -> Authenticated:
        """Return the other side; only the tables say when it is there."""
        self._machine.check(move)
        if self._peer is None:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"{move} without authentication")
        return self._peer
