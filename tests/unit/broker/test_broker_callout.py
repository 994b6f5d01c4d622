# SPDX-License-Identifier: Apache-2.0
"""The callout: whatever goes wrong is a refusal, and never a silence that lets somebody in."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fakes.in_loop import in_loop
from homeport.broker import callout as room
from homeport.broker import jwt
from homeport.broker.access import BrokerAccess
from homeport.broker.callout import Admit, Callout
from homeport.broker.jwt import AuthRequest
from homeport.clock import SystemClock
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.provisioning.admit import Admission

DEVICE = DeviceId("abcdefghijklmnop", "SN1")
LEAF = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"


class Question:
    """A question that remembers its answer."""

    data = b"token"

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    async def respond(self, data: bytes) -> None:
        self.answers.append(data)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reads every token as one good question, and writes verdicts in words."""
    request = AuthRequest(
        server="N", connection=1, user="U", type="mqtt", host="h", mqtt_id=str(DEVICE),
        leaf=LEAF, password=None,
    )  # fmt: skip
    said: list[str] = []

    def deny(_issuer: object, _request: object, reason: str, _now: object) -> bytes:
        said.append(reason)
        return b"no"

    monkeypatch.setattr(jwt, "read_request", lambda *_: request)
    monkeypatch.setattr(jwt, "write_denial", deny)
    monkeypatch.setattr(jwt, "write_admission", lambda *_: b"yes")
    return said


async def ask(admit: Admit) -> bytes:
    question = Question()
    service = Callout(BrokerAccess.fresh(4222), admit, (), SystemClock())
    await service.answer(question)
    assert service.admitted + service.refused == 1
    (answer,) = question.answers
    return answer


@in_loop
async def test_whom_the_registry_admits_gets_in(written: list[str]) -> None:
    async def admit(shown: str, client_id: str) -> Admission:
        assert client_id == str(DEVICE)
        end = datetime.now(UTC) + timedelta(days=1)
        return Admission(device=DEVICE, tenant="acme", fingerprint=shown, not_after=end)

    assert await ask(admit) == b"yes"


@in_loop
async def test_a_refusal_names_its_code(written: list[str]) -> None:
    async def admit(shown: str, client_id: str) -> Admission:
        raise HomeportError(Code.CREDENTIAL_REVOKED, "particulars")

    assert await ask(admit) == b"no"
    assert written == ["credential-revoked"]


@in_loop
async def test_a_failure_is_a_refusal(written: list[str]) -> None:
    async def admit(shown: str, client_id: str) -> Admission:
        raise ZeroDivisionError

    assert await ask(admit) == b"no"
    assert written == ["failure"]


@in_loop
async def test_a_slow_registry_is_a_refusal(
    written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "ANSWER_SECONDS", 0.01)

    async def admit(shown: str, client_id: str) -> Admission:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    assert await ask(admit) == b"no"
    assert written == ["timeout"]


@in_loop
async def test_an_unreadable_question_is_counted_and_not_answered() -> None:
    async def admit(shown: str, client_id: str) -> Admission:
        raise AssertionError

    question = Question()
    service = Callout(BrokerAccess.fresh(4222), admit, (), SystemClock())
    await service.answer(question)
    assert question.answers == []
    assert service.refused == 1
