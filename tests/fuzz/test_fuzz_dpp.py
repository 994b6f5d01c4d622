# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for Wi-Fi Easy Connect: what strangers send, and what sides with the keys say.

A mutated message would fail at its seal and go no further, so what is sealed is damaged *before* it
is sealed, with the right keys: a device or an installer may be hostile, too.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from fakes.dpp_sides import new_signer
from fakes.dpp_talk import WIFI, Talk, talk
from fuzz.mutate import fuzz
from homeport.errors import HomeportError
from homeport.protocols import dpp
from homeport.protocols.dpp.configuration.members import read_json
from homeport.protocols.dpp.messages.sealed import seal, seal_action
from homeport.protocols.dpp.wire.attributes import read_attributes, write_attributes
from homeport.protocols.dpp.wire.framer import Framer
from homeport.protocols.dpp.wire.frames import (
    ActionFrame,
    GasRequest,
    GasResponse,
    read_frame,
    write_frame,
)
from homeport.protocols.dpp.wire.vocabulary import ActionType, AttributeId

CORPUS: Final = Path(__file__).parent / "corpus"
SIGNING: Final = dpp.signing_key(new_signer())
RUNS: Final = 1_500
"""An exchange up to the message takes a millisecond."""


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda octets: read(octets.decode("latin-1"))


def member(read: Callable[[dict[str, object]], object]) -> Callable[[bytes], object]:
    return lambda octets: read(dict(read_json(octets).rest()))


READERS: Final[dict[str, tuple[Callable[[bytes], object], str]]] = {
    "frame": (read_frame, "dpp-frame"),
    "stream": (lambda octets: Framer().feed(octets), "dpp-stream"),
    "attributes": (read_attributes, "dpp-sealed"),
    "uri": (text(dpp.read_uri), "dpp-uri"),
    "connector": (text(lambda it: dpp.verify_connector(it, SIGNING)), "dpp-connector"),
    "object": (dpp.ConfigurationObject.read, "dpp-object"),
    "request": (dpp.ConfigurationRequest.read, "dpp-object"),
    "status": (dpp.ConnectionStatus.read, "dpp-object"),
    "member-request": (member(dpp.ProvisioningRequest.read), "dpp-member"),
    "member-answer": (member(dpp.ProvisioningAnswer.read), "dpp-member"),
}


@pytest.mark.parametrize("name", READERS)
def test_readers(name: str) -> None:
    target, corpus = READERS[name]
    fuzz(target, CORPUS / corpus)


@pytest.mark.parametrize("first", [True, False])
def test_frames_of_strangers(first: bool) -> None:
    """Every state that a stranger can reach: before the request, and behind it."""

    def receive(octets: bytes) -> None:
        it = talk()
        side = it.second if first else it.first
        if not first:
            it.first.start()
        side.receive(octets)

    fuzz(receive, CORPUS / "dpp-frame", runs=RUNS)


def before_the_seal(step: dpp.Step) -> bytes:
    assert isinstance(step.frame, ActionFrame)
    octets = step.frame.attributes
    return octets[: read_attributes(octets).found[-1].offset]


def sealed_request(it: Talk, clear: bytes) -> None:
    before = before_the_seal(it.first.start())
    octets = write_frame(seal_action(ActionType.AUTHENTICATION_REQUEST, before, it.k1, clear))
    it.second.receive(octets)


def sealed_response(it: Talk, clear: bytes) -> None:
    before = before_the_seal(it.say(it.first.start(), it.second))
    octets = write_frame(seal_action(ActionType.AUTHENTICATION_RESPONSE, before, it.k2, clear))
    it.first.receive(octets)


def sealed_question(it: Talk, clear: bytes) -> None:
    it.authenticate()
    query = write_attributes((AttributeId.WRAPPED_DATA, seal(it.ke, clear)))
    it.configurator.receive(write_frame(GasRequest(1, query)))


def sealed_answer(it: Talk, clear: bytes) -> None:
    """The nonce is this exchange's: what follows it is what is fuzzed."""
    it.authenticate()
    it.ask()
    clear = clear.replace(bytes(16), it.enrollee._nonce)
    before = write_attributes((AttributeId.STATUS, b"\0"))
    query = before + write_attributes((AttributeId.WRAPPED_DATA, seal(it.ke, clear, before)))
    it.enrollee.receive(write_frame(GasResponse(1, query)))


def sealed_result(it: Talk, clear: bytes) -> None:
    it.authenticate()
    it.ask()
    it.say(it.configurator.answer((WIFI,)), it.enrollee)
    it.configurator.receive(
        write_frame(seal_action(ActionType.CONFIGURATION_RESULT, b"", it.ke, clear))
    )


@pytest.mark.parametrize(
    "bring", [sealed_request, sealed_response, sealed_question, sealed_answer, sealed_result]
)
def test_what_sides_with_the_keys_say(bring: Callable[[Talk, bytes], None]) -> None:
    fuzz(lambda clear: bring(talk(), clear), CORPUS / "dpp-sealed", (HomeportError,), RUNS // 3)
