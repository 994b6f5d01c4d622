# SPDX-License-Identifier: Apache-2.0
"""The agent's parsers: answers and refusals of platforms, lines of programs, its own memory."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fuzz.mutate import fuzz
from homeport.agent.legs.visiting import read_instant
from homeport.agent.local.messages import message_of, read_reply, read_request
from homeport.agent.memory.durable import DurableFile
from homeport.agent.memory.store import Store
from homeport.errors import HomeportError, MalformedError
from homeport.protocols.native.device import (
    PlatformTrust,
    SignedRequest,
    TimeSense,
    read_refusal,
    read_signed_answer,
)

CORPUS = Path(__file__).parent / "corpus"
SENSE = TimeSense(datetime(2026, 11, 23, tzinfo=UTC), None)
REQUEST = SignedRequest(b"", bytes(32), bytes(16))


def test_answers():
    anchor = (CORPUS / "device-answer-anchor.der").read_bytes()
    trust = PlatformTrust.of("platform.test", [anchor])
    fuzz(lambda data: read_signed_answer(data, REQUEST, trust, SENSE), CORPUS / "device-answer")


def test_refusals():
    def target(data: bytes) -> None:
        problem = read_refusal(403, data, data[:12].decode("latin-1"))
        assert problem.title.isprintable()
        assert problem.advice.isprintable()

    assert fuzz(target, CORPUS / "device-refusal") > 0


def test_lines_of_programs():
    def target(data: bytes) -> None:
        publication = read_request(data).publish
        if publication is not None:
            publication.octets()

    assert fuzz(target, CORPUS / "agent-line", (MalformedError,)) > 0
    fuzz(read_reply, CORPUS / "agent-line", (MalformedError,))
    fuzz(lambda data: message_of("c", data), CORPUS / "agent-line", ())


def test_memory(tmp_path):
    def target(data: bytes) -> None:
        # As if the flash had kept the checksum and the program had written nonsense.
        for suffix in ("", ".previous"):
            (tmp_path / f"state.json{suffix}").unlink(missing_ok=True)
        DurableFile(tmp_path / "state.json").write(data)
        Store(tmp_path)

    assert fuzz(target, CORPUS / "agent-state", (HomeportError,), runs=300) > 0


def test_times():
    def target(data: bytes) -> None:
        read_instant(msgspec.json.decode(data, type=int, strict=False))

    fuzz(target, CORPUS / "agent-state", (MalformedError, msgspec.MsgspecError, UnicodeDecodeError))
