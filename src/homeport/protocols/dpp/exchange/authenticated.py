# SPDX-License-Identifier: Apache-2.0
"""What a finished authentication is worth, and how each side reports what happens.

`Authenticated` is made by nothing but a checked tag: who has one knows that the Responder holds
the bootstrapping key of the label, and that nobody is between the two.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.configuration.objects import (
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
)
from homeport.protocols.dpp.messages.configuration import status_name
from homeport.protocols.dpp.wire.frames import Frame, write_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """The other side, proven, and what is shared with it."""

    ke: bytes = field(repr=False)
    own_key: ec.EllipticCurvePrivateKey = field(repr=False)
    """Our protocol key; an Enrollee's becomes its network access key."""
    peer_key: ec.EllipticCurvePublicKey
    peer_version: int


@dataclass(frozen=True, slots=True)
class Asked:
    """To a Configurator: an Enrollee asks. Answer now, or postpone."""

    request: ConfigurationRequest
    access_key: ec.EllipticCurvePublicKey
    """The Enrollee's protocol key: what a connector for it is to name."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """To an Enrollee: come back after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MoreNeeded:
    """To an Enrollee: ask again, with what these objects say is missing."""

    objects: tuple[ConfigurationObject, ...]


@dataclass(frozen=True, slots=True)
class Configured:
    """To an Enrollee: the configuration; say whether you take it."""

    objects: tuple[ConfigurationObject, ...]
    """The preferred one first; connectors are verified and are for our own key."""
    is_status_wanted: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """To a Configurator: the Enrollee takes the configuration."""

    is_status_to_follow: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """To a Configurator: how joining went."""

    status: ConnectionStatus


Event: TypeAlias = Authenticated | Asked | Postponed | MoreNeeded | Configured | Accepted | Joined


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a call: a frame to send first, and then what happened."""

    frame: Frame | None = None
    event: Event | None = None

    @property
    def octets(self) -> bytes:
        """The frame as it is sent; nothing where there is none."""
        return b"" if self.frame is None else write_frame(self.frame)


class DppError(HomeportError):
    """An exchange that failed, and the last frame that tells the other side."""

    def __init__(self, code: Code, detail: str, farewell: Frame) -> None:
        """Take the failure and the frame."""
        super().__init__(code, detail)
        self.farewell: Final = write_frame(farewell)


def refused(what: str, status: int) -> HomeportError:
    """Return the failure of an exchange that the other side ended with a status."""
    return HomeportError(Code.DPP_REFUSED, f"{what}: {status_name(status)}")
