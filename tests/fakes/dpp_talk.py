# SPDX-License-Identifier: Apache-2.0
"""A talk between two sides of Wi-Fi Easy Connect without a carrier, and a hand that tampers.

The hand knows every key: it opens a message, changes attributes, and seals it again, as a hostile
peer could that really holds the keys. So what lies behind the seal is tried, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fakes.dpp_sides import REQUEST, new_key, with_passphrase
from homeport.protocols import dpp
from homeport.protocols.dpp.exchange.schedule import agree, first_key, second_key
from homeport.protocols.dpp.messages.sealed import read_sealed, seal
from homeport.protocols.dpp.wire.attributes import read_attributes
from homeport.protocols.dpp.wire.frames import (
    ActionFrame,
    ComebackResponse,
    Frame,
    GasRequest,
    GasResponse,
    write_frame,
)
from homeport.protocols.dpp.wire.vocabulary import AttributeId

Side = dpp.Enrollee | dpp.Configurator
Edits = Mapping[AttributeId, bytes | None]
"""Values by attribute; None leaves it out."""
WIFI = with_passphrase(dpp.Akm.PSK)


@dataclass
class Talk:
    """An Enrollee and a Configurator, one of whom knows the other's label."""

    enrollee: dpp.Enrollee
    configurator: dpp.Configurator
    initiator: dpp.Initiator
    responder: dpp.Responder
    is_device_labelled: bool
    frames: list[Frame] = field(default_factory=list)
    """All that was said, in order."""

    @property
    def first(self) -> Side:
        return self.configurator if self.is_device_labelled else self.enrollee

    @property
    def second(self) -> Side:
        return self.enrollee if self.is_device_labelled else self.configurator

    def say(self, step: dpp.Step, to: Side) -> dpp.Step:
        """Bring a step's frame to the other side."""
        assert step.frame is not None
        self.frames.append(step.frame)
        return to.receive(step.octets)

    def authenticate(self) -> None:
        """Go through the three messages."""
        request = self.say(self.first.start(), self.second)
        confirm = self.say(request, self.first)
        assert isinstance(confirm.event, dpp.Authenticated)
        done = self.say(confirm, self.second)
        assert isinstance(done.event, dpp.Authenticated)

    def ask(self, request: dpp.ConfigurationRequest = REQUEST) -> dpp.Asked:
        """Have the device ask."""
        event = self.say(self.enrollee.ask(request), self.configurator).event
        assert isinstance(event, dpp.Asked)
        return event

    def configure(self, *, is_status_wanted: bool = False) -> dpp.Configured:
        """Have the device configured."""
        answer = self.configurator.answer((WIFI,), is_status_wanted=is_status_wanted)
        event = self.say(answer, self.enrollee).event
        assert isinstance(event, dpp.Configured)
        return event

    def accept(self) -> dpp.Accepted:
        """Have the configuration taken."""
        event = self.say(self.enrollee.accept(), self.configurator).event
        assert isinstance(event, dpp.Accepted)
        return event

    @property
    def m(self) -> bytes:
        return self.initiator._m

    @property
    def k1(self) -> bytes:
        return first_key(self.m)

    @property
    def k2(self) -> bytes:
        return second_key(agree(self.initiator._key, self.responder._key.public_key()))

    @property
    def ke(self) -> bytes:
        offered = self.responder._offered
        assert offered is not None
        return offered.authenticated.ke


def talk(*, is_device_labelled: bool = True, fragment_size: int | None = None) -> Talk:
    """Two sides that have not spoken yet."""
    key = new_key()
    initiator, responder = dpp.Initiator(key.public_key()), dpp.Responder(key)
    device, installer = (responder, initiator) if is_device_labelled else (initiator, responder)
    configurator = (
        dpp.Configurator(installer)
        if fragment_size is None
        else dpp.Configurator(installer, fragment_size=fragment_size)
    )
    return Talk(dpp.Enrollee(device), configurator, initiator, responder, is_device_labelled)


def tamper(
    frame: Frame | None, key: bytes, outside: Edits | None = None, inside: Edits | None = None
) -> bytes:
    """Return the frame's octets with attributes changed, before the seal and behind it."""
    outside, inside = outside or {}, inside or {}
    match frame:
        case ActionFrame(type_, octets):
            changed = _changed(octets, key, (frame.header,), outside, inside)
            return write_frame(ActionFrame(type_, changed))
        case GasRequest(token, query):
            return write_frame(GasRequest(token, _changed(query, key, None, outside, inside)))
        case GasResponse(token, query) | ComebackResponse(token, query):
            return write_frame(GasResponse(token, _changed(query, key, (), outside, inside)))
        case _:
            raise AssertionError(frame)


def edit(octets: bytes, edits: Edits) -> bytes:
    """Change attributes in place; what is not there is added at the end."""
    attributes = read_attributes(octets).found
    kept = [(each.number, edits.get(_id(each.number), each.value)) for each in attributes]
    there = {number for number, _value in kept}
    kept += [(number, value) for number, value in edits.items() if number not in there]
    return b"".join(_attribute(number, value) for number, value in kept if value is not None)


def _changed(
    octets: bytes, key: bytes, header: tuple[bytes, ...] | None, outside: Edits, inside: Edits
) -> bytes:
    attributes, sealed = read_sealed(octets, *(header or ()))
    if header is None:  # a configuration request is bound to nothing
        sealed = type(sealed)(sealed.wrapped)
    clear = b"".join(_attribute(each.number, each.value) for each in sealed.open(key).found)
    before = edit(octets[: attributes.found[-1].offset], outside)
    bound = () if header is None else (*header, before)
    return before + _attribute(AttributeId.WRAPPED_DATA, seal(key, edit(clear, inside), *bound))


def _attribute(number: int, value: bytes) -> bytes:
    return number.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value


def _id(number: int) -> AttributeId:
    return AttributeId(number)
