# SPDX-License-Identifier: Apache-2.0
"""The messages of DPP configuration (sections 6.4, 8.2 and 8.3).

Request and response are queries inside GAS frames, results are public action frames. All are
sealed with ke; the Enrollee's nonce ties answer and result to the request.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.messages.sealed import (
    Sealed,
    read_action,
    read_sealed,
    seal,
    seal_action,
)
from homeport.protocols.dpp.points import NONCE_LENGTH
from homeport.protocols.dpp.wire.attributes import Attributes, read_attributes, write_attributes
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import ActionType, AttributeId, Status

OBJECTS_MAX: Final = 10
"""Configuration objects in a response, as in wpa_supplicant 2.10."""
_A: Final = AttributeId


@dataclass(frozen=True, slots=True)
class RequestSecret:
    """What a configuration request seals."""

    nonce: bytes
    attributes: bytes = field(repr=False)
    """The DPP Configuration Request object, JSON."""

    def write(self, ke: bytes) -> bytes:
        """Return the query."""
        clear = write_attributes(
            (_A.ENROLLEE_NONCE, self.nonce), (_A.CONFIGURATION_ATTRIBUTES, self.attributes)
        )
        return write_attributes((_A.WRAPPED_DATA, seal(ke, clear)))

    @classmethod
    def read(cls, query: bytes, ke: bytes) -> Self:
        """Read and open a query; raise MalformedError or DPP_PEER_UNPROVEN."""
        wrapped = read_attributes(query).required(_A.WRAPPED_DATA)
        clear = Sealed(wrapped).open(ke)
        return cls(
            clear.required(_A.ENROLLEE_NONCE, NONCE_LENGTH),
            clear.required(_A.CONFIGURATION_ATTRIBUTES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSecret:
    """A configuration response: its status in the open, the rest sealed and bound to it."""

    status: int
    nonce: bytes
    objects: tuple[bytes, ...] = field(default=(), repr=False)
    """DPP Configuration objects, JSON each, the preferred one first."""
    is_status_wanted: bool = False
    """Whether the Configurator asks for a connection status result."""

    def write(self, ke: bytes) -> bytes:
        """Return the query."""
        before = write_attributes((_A.STATUS, bytes([self.status])))
        clear = write_attributes(
            (_A.ENROLLEE_NONCE, self.nonce),
            *((_A.CONFIGURATION_OBJECT, each) for each in self.objects),
            (_A.SEND_CONNECTION_STATUS, b"" if self.is_status_wanted else None),
        )
        return before + write_attributes((_A.WRAPPED_DATA, seal(ke, clear, before)))

    @classmethod
    def read(cls, query: bytes, ke: bytes) -> Self:
        """Read and open a query; raise MalformedError or DPP_PEER_UNPROVEN."""
        attributes, sealed = read_sealed(query)
        clear = sealed.open(ke)
        objects = clear.every(_A.CONFIGURATION_OBJECT)
        if len(objects) > OBJECTS_MAX:
            raise MalformedError(f"{len(objects)} configuration objects", Code.DPP_MALFORMED)
        return cls(
            status=attributes.required(_A.STATUS, 1)[0],
            nonce=clear.required(_A.ENROLLEE_NONCE, NONCE_LENGTH),
            objects=objects,
            is_status_wanted=clear.optional(_A.SEND_CONNECTION_STATUS) is not None,
        )


@dataclass(frozen=True, slots=True)
class ConfigurationResult:
    """Enrollee to Configurator: whether it takes the configuration."""

    status: int
    nonce: bytes

    def write(self, ke: bytes) -> ActionFrame:
        """Return the frame."""
        clear = write_attributes((_A.STATUS, bytes([self.status])), (_A.ENROLLEE_NONCE, self.nonce))
        return seal_action(ActionType.CONFIGURATION_RESULT, b"", ke, clear)

    @classmethod
    def read(cls, frame: ActionFrame, ke: bytes) -> Self:
        """Read and open a frame; raise MalformedError or DPP_PEER_UNPROVEN."""
        clear = _open(frame, ActionType.CONFIGURATION_RESULT, ke)
        return cls(clear.required(_A.STATUS, 1)[0], clear.required(_A.ENROLLEE_NONCE, NONCE_LENGTH))


@dataclass(frozen=True, slots=True)
class StatusSecret:
    """Enrollee to Configurator: how joining the network went."""

    nonce: bytes
    connection: bytes = field(repr=False)
    """The connStatus object, JSON."""

    def write(self, ke: bytes) -> ActionFrame:
        """Return the frame."""
        clear = write_attributes(
            (_A.ENROLLEE_NONCE, self.nonce), (_A.CONNECTION_STATUS, self.connection)
        )
        return seal_action(ActionType.CONNECTION_STATUS_RESULT, b"", ke, clear)

    @classmethod
    def read(cls, frame: ActionFrame, ke: bytes) -> Self:
        """Read and open a frame; raise MalformedError or DPP_PEER_UNPROVEN."""
        clear = _open(frame, ActionType.CONNECTION_STATUS_RESULT, ke)
        return cls(
            clear.required(_A.ENROLLEE_NONCE, NONCE_LENGTH), clear.required(_A.CONNECTION_STATUS)
        )


def _open(frame: ActionFrame, type_: ActionType, ke: bytes) -> Attributes:
    _attributes, sealed = read_action(frame, type_)
    return sealed.open(ke)


def status_name(status: int) -> str:
    """Return a status by name, or by number if it is of a later release."""
    return Status(status).name if status in set(Status) else f"status {status}"
