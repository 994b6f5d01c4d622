# SPDX-License-Identifier: Apache-2.0
"""The states of an exchange and what may happen in each: four tables.

A side runs through one of the upper two tables (who speaks first) and then one of the lower two
(what it is). What is not in a table is out of order and ends the exchange: a repeated message, too.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from homeport.errors import Code, HomeportError

REQUESTS_MAX: Final = 4
"""Configuration requests of one exchange: neither side makes the other ask without end."""


class State(StrEnum):
    """Where a side stands."""

    BEGINNING = "beginning"
    AUTHENTICATING = "authenticating"
    AUTHENTICATED = "authenticated"
    ASKED = "asked"  # the configuration request is out (Enrollee), or here (Configurator)
    POSTPONED = "postponed"  # the Enrollee is to come back
    FRAGMENTED = "fragmented"  # a part of the configuration is there, the rest is to be fetched
    CONFIGURED = "configured"  # the configuration is there; its result is not said yet
    JOINING = "joining"  # the Enrollee is to say how joining went
    DONE = "done"
    FAILED = "failed"


class Move(StrEnum):
    """What can happen, whoever does it: the messages by name."""

    AUTHENTICATION_REQUEST = "authentication request"
    AUTHENTICATION_RESPONSE = "authentication response"
    AUTHENTICATION_CONFIRM = "authentication confirm"
    CONFIGURATION_REQUEST = "configuration request"
    COMEBACK_LATER = "come back later"
    COMEBACK_REQUEST = "comeback request"
    FRAGMENT = "fragment of a configuration response"
    CONFIGURATION_RESPONSE = "configuration response"
    MORE_NEEDED = "configuration response that asks for more"
    REFUSAL = "configuration response that refuses"
    RESULT = "configuration result"
    RESULT_AND_JOINING = "configuration result, with the connection's status to follow"
    CONNECTION_STATUS = "connection status result"


Table: TypeAlias = Mapping[tuple[State, Move], State]

INITIATOR: Final[Table] = {
    (State.BEGINNING, Move.AUTHENTICATION_REQUEST): State.AUTHENTICATING,
    # The confirm follows in the same step.
    (State.AUTHENTICATING, Move.AUTHENTICATION_RESPONSE): State.AUTHENTICATED,
}
RESPONDER: Final[Table] = {
    # The response follows in the same step.
    (State.BEGINNING, Move.AUTHENTICATION_REQUEST): State.AUTHENTICATING,
    (State.AUTHENTICATING, Move.AUTHENTICATION_CONFIRM): State.AUTHENTICATED,
}
ENROLLEE: Final[Table] = {
    (State.AUTHENTICATED, Move.CONFIGURATION_REQUEST): State.ASKED,
    (State.ASKED, Move.COMEBACK_LATER): State.POSTPONED,
    (State.POSTPONED, Move.COMEBACK_REQUEST): State.ASKED,
    (State.ASKED, Move.FRAGMENT): State.FRAGMENTED,
    (State.FRAGMENTED, Move.COMEBACK_REQUEST): State.ASKED,
    (State.ASKED, Move.MORE_NEEDED): State.AUTHENTICATED,
    (State.ASKED, Move.CONFIGURATION_RESPONSE): State.CONFIGURED,
    (State.ASKED, Move.REFUSAL): State.FAILED,
    (State.CONFIGURED, Move.RESULT): State.DONE,
    (State.CONFIGURED, Move.RESULT_AND_JOINING): State.JOINING,
    (State.JOINING, Move.CONNECTION_STATUS): State.DONE,
}
CONFIGURATOR: Final[Table] = ENROLLEE
"""The same talk seen from the other end: only who sends and who receives is the other way round."""


class Machine:
    """A side's state; moves by the tables and never otherwise."""

    def __init__(self, *tables: Table) -> None:
        """Begin, with the tables of who speaks first and of what this side is."""
        self._rows: Final = {row: state for table in tables for row, state in table.items()}
        self.state = State.BEGINNING

    def check(self, move: Move) -> State:
        """Return where the move leads; raise DPP_OUT_OF_ORDER if it is none here."""
        after = self._rows.get((self.state, move))
        if after is None:
            raise HomeportError(Code.DPP_OUT_OF_ORDER, f"{move} while {self.state}")
        return after

    def make(self, move: Move) -> None:
        """Make the move; raise DPP_OUT_OF_ORDER if it is none here."""
        self.state = self.check(move)

    def fail(self) -> None:
        """Nothing may happen any more."""
        self.state = State.FAILED
