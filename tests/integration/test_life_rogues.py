# SPDX-License-Identifier: Apache-2.0
"""Commands that must not count, at a whole agent; and that a power cut ends in the same place."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.agents import RunningAgent, quick_settings, running_agent, until
from fakes.awkward_platform import FakePlatform, fake_site
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker
from homeport.agent.journey import State
from homeport.agent.settings import AgentSettings
from homeport.pki import jws
from homeport.pki.certificates import fingerprint, parse_certificate
from homeport.protocols.mqtt.commands import COMMAND_TYP, Command, encode

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    with fake_site(tmp_path) as (platform, _):
        yield platform


@pytest.fixture
def settings(platform: FakePlatform, tmp_path: Path) -> AgentSettings:
    return quick_settings(tmp_path)


def command_for(agent: RunningAgent, order: str = "rekey", **changes: Any) -> bytes:
    credential = agent.credential
    said: dict[str, Any] = {
        "id": ID,
        "order": order,
        "device": credential.device,
        "credential": fingerprint(parse_certificate(credential.certificate[0])),
        "expires": int(time.time()) + 3600,
    }
    return encode(Command(**(said | changes)))


def signed(platform: FakePlatform, payload: bytes, typ: str = COMMAND_TYP, **by: Any) -> bytes:
    key, chain = by.get("signer", (platform.domain_key, platform.domain_chain))
    return jws.sign(payload, key=key, typ=typ, x5c=chain)


def results(broker: FakeBroker) -> list[dict[str, str]]:
    return [json.loads(body) for topic, body in broker.messages if topic.endswith("/result")]


def say(broker: FakeBroker, agent: RunningAgent, message: bytes) -> None:
    broker.say(f"{agent.credential.topics}/command", message)


@in_loop
async def test_only_its_platform_commands_a_device(
    platform: FakePlatform, settings: AgentSettings, tmp_path: Path
) -> None:
    broker = FakeBroker()
    (tmp_path / "rogue").mkdir()
    with FakePlatform(tmp_path / "rogue", platform.name) as rogue:
        signer = (rogue.domain_key, rogue.domain_chain)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        good = command_for(agent, "reset")
        other = command_for(agent, "reset", device=agent.credential.device + "0")
        for message in (
            good,
            b"",
            b"{}",
            signed(platform, good, typ="homeport-answer+jws"),
            signed(platform, good, signer=signer),
            signed(platform, good, signer=(signer[0], platform.domain_chain)),
            signed(platform, good).replace(b'"payload":"', b'"payload":"AA'),
            signed(platform, other),
            signed(platform, command_for(agent, "reset", credential="00" * 32)),
            signed(platform, command_for(agent, "reset", expires=int(time.time()) - 1)),
            signed(platform, b'{"id": 1}'),
        ):
            say(broker, agent, message)
        say(broker, agent, signed(platform, command_for(agent, "dance")))
        await until(lambda: results(broker) != [])
        assert results(broker) == [
            {"command": ID, "result": "refused", "code": "command-unknown"}
        ], "all before it was passed over"
        assert agent.state is State.OPERATIONAL
    assert len(platform.issued) == 1


@in_loop
async def test_a_command_is_obeyed_once_and_answered_when_it_is_done(
    platform: FakePlatform, settings: AgentSettings
) -> None:
    broker = FakeBroker()
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        before = agent.credential
        message = signed(platform, command_for(agent))
        say(broker, agent, message)
        await until(lambda: results(broker) != [])
        assert agent.credential.key != before.key
        say(broker, agent, message)
        say(broker, agent, signed(platform, command_for(agent)))  # sent anew for the new one
        other = "f" * 32
        say(broker, agent, signed(platform, command_for(agent, "dance", id=other)))
        await until(lambda: len(results(broker)) == 2)
        assert [each["command"] for each in results(broker)] == [ID, other]
    assert len(platform.renewals) == 1


@in_loop
async def test_a_power_cut_after_a_command_was_taken_ends_in_the_same_place(
    platform: FakePlatform, settings: AgentSettings
) -> None:
    broker = FakeBroker()
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        before = agent.credential
        platform.change(renewal_refusal=(503, "storage-unavailable"))
        say(broker, agent, signed(platform, command_for(agent)))
        await until(lambda: agent.saved.command is not None)
    assert agent.saved.command is not None
    platform.change(renewal_refusal=None)
    async with running_agent(settings, broker) as agent:
        await until(lambda: results(broker) != [])
        assert results(broker) == [{"command": ID, "result": "obeyed"}]
        assert agent.credential.key != before.key
        assert agent.saved.command is None


@in_loop
async def test_what_the_platform_refuses_is_said(
    platform: FakePlatform, settings: AgentSettings
) -> None:
    broker = FakeBroker()
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        platform.change(renewal_refusal=(403, "profile-refused"))
        say(broker, agent, signed(platform, command_for(agent)))
        await until(lambda: results(broker) != [])
        assert results(broker) == [{"command": ID, "result": "refused", "code": "profile-refused"}]
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_a_reset_is_answered_before_it_is_done(
    platform: FakePlatform, settings: AgentSettings
) -> None:
    broker = FakeBroker()
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        before = agent.credential
        say(broker, agent, signed(platform, command_for(agent, "reset")))
        await until(lambda: len(platform.enrolments) == 2)
        await agent.reaches(State.OPERATIONAL)
        assert results(broker) == [{"command": ID, "result": "obeyed"}]
        assert agent.credential.key != before.key
        assert not agent.tools.keys._directory.joinpath(before.key.rpartition("/")[2]).exists()


@in_loop
async def test_a_key_of_a_former_owner_is_dropped_for_a_new_one_at_once(
    platform: FakePlatform, settings: AgentSettings
) -> None:
    platform.change(refusal=(403, "epoch-stale"))
    async with running_agent(settings, FakeBroker()) as agent:
        await until(lambda: len({each.request_id for each in platform.enrolments}) > 1)
        platform.change(refusal=None)
        await agent.reaches(State.OPERATIONAL)
