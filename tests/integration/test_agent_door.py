# SPDX-License-Identifier: Apache-2.0
"""The socket for programs on the device, with a real socket and a broker that breaks on demand."""

import asyncio
import json
import stat
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fakes.agents import quick_settings, running_agent, until
from fakes.awkward_platform import fake_site
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker
from homeport.agent.journey import State
from homeport.agent.local import door

EXAMPLE = Path(__file__).parents[2] / "examples" / "thermometer.py"


@pytest.fixture
def platform(tmp_path):
    with fake_site(tmp_path) as (made, _):
        yield made


@pytest.fixture
def settings(platform, tmp_path):
    return quick_settings(tmp_path)


@pytest.fixture
def broker():
    return FakeBroker()


class Program:
    """A program on the device."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def say(self, message):
        self.writer.write(json.dumps(message).encode() + b"\n")

    async def hear(self):
        async with asyncio.timeout(5):
            return json.loads(await self.reader.readline())

    async def ask(self, message):
        self.say(message)
        return await self.hear()


@asynccontextmanager
async def program(settings):
    await until(settings.socket_path.exists)
    reader, writer = await asyncio.open_unix_connection(str(settings.socket_path))
    try:
        yield Program(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


def prefix_of(agent):
    return agent.credential.topics


@in_loop
async def test_a_program_publishes_and_receives(settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        async with program(settings) as mine:
            publication = {"channel": "line1/temperature", "payload": 21.5}
            assert await mine.ask({"publish": publication}) == {"ok": True}
            assert broker.messages[-1] == (f"{prefix_of(agent)}/up/line1/temperature", b"21.5")
            assert await mine.ask({"subscribe": "setpoint"}) == {"ok": True}
            broker.say(f"{prefix_of(agent)}/down/other", b"1")
            broker.say(f"{prefix_of(agent)}/down/setpoint", b'{"celsius": 20}')
            assert await mine.hear() == {
                "message": {"channel": "setpoint", "payload": {"celsius": 20}}
            }
            status = (await mine.ask({"status": {}}))["status"]
            assert (status["state"], status["tenant"]) == ("operational", "acme")


@in_loop
async def test_a_message_waits_for_the_connection(settings, broker):
    broker.is_away = True
    async with running_agent(settings, broker) as agent, program(settings) as mine:
        mine.say({"publish": {"channel": "c", "text": "early"}})
        await until(lambda: len(broker.attempts) >= 2)
        broker.is_away = False
        assert await mine.hear() == {"ok": True}
        assert (f"{prefix_of(agent)}/up/c", b"early") in broker.messages


@in_loop
async def test_a_message_does_not_wait_longer_than_its_program(settings, broker):
    broker.is_away = True
    async with running_agent(settings, broker), program(settings) as mine:
        answer = await mine.ask({"publish": {"channel": "c", "text": "x", "wait": 0.05}})
        assert answer["error"]["code"] == "upstream-unreachable"


@pytest.mark.parametrize("channel", ["../state", "a/+", "#", "a.b", "a//b", "a b"])
@in_loop
async def test_a_channel_cannot_leave_its_place(settings, broker, channel):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        sent = len(broker.messages)
        async with program(settings) as mine:
            answer = await mine.ask({"publish": {"channel": channel, "payload": 1}})
        assert answer["error"]["code"] == "malformed"
        assert len(broker.messages) == sent


@in_loop
async def test_nonsense_is_answered_and_too_much_of_it_ends_the_conversation(settings, broker):
    async with running_agent(settings, broker):
        async with program(settings) as mine:
            mine.writer.write(b"nonsense\n")
            assert (await mine.hear())["error"]["code"] == "malformed"
            assert "status" in await mine.ask({"status": {}})
            mine.writer.write(b"x" * 300_000)
            assert (await mine.hear())["error"]["code"] == "too-large"
            assert await mine.reader.readline() == b""
        async with program(settings) as other:
            assert "status" in await other.ask({"status": {}})


@in_loop
async def test_a_slow_program_loses_the_oldest_and_is_told(settings, broker, monkeypatch):
    monkeypatch.setattr(door, "WAITING_MAX", 3)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        async with program(settings) as mine:
            await mine.ask({"subscribe": "#"})
            for number in range(10):  # all before the program's turn to read
                broker.say(f"{prefix_of(agent)}/down/c", str(number).encode())
            assert await mine.hear() == {"lost": 7}
            heard = [(await mine.hear())["message"]["payload"] for _ in range(3)]
            assert heard == [7, 8, 9]


@in_loop
async def test_only_so_many_programs_come_in(settings, broker, monkeypatch):
    monkeypatch.setattr(door, "PROGRAMS_MAX", 1)
    async with running_agent(settings, broker), program(settings) as mine:
        assert "status" in await mine.ask({"status": {}})
        async with program(settings) as other:
            assert (await other.hear())["error"]["code"] == "too-many-requests"


@in_loop
async def test_a_program_that_goes_away_is_forgotten(settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        async with program(settings) as mine:
            await mine.ask({"subscribe": "#"})
        await until(lambda: not agent.composition.door._programs)
        broker.say(f"{prefix_of(agent)}/down/c", b"1")


@in_loop
async def test_a_program_can_ask_for_a_reset(settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        first = agent.credential
        async with program(settings) as mine:
            assert await mine.ask({"reset": {}}) == {"ok": True}
        await until(lambda: agent.saved.credential not in {None, first})


@in_loop
async def test_the_socket_is_for_owner_and_group(settings, broker):
    async with running_agent(settings, broker), program(settings):
        assert stat.S_IMODE(settings.socket_path.stat().st_mode) == 0o660
    assert not settings.socket_path.exists()


@in_loop
async def test_a_dead_agents_socket_is_replaced(settings, broker):
    settings.state.mkdir()
    settings.socket_path.write_text("")
    async with running_agent(settings, broker):
        await until(settings.socket_path.is_socket)


@in_loop
async def test_the_example_program_publishes_and_obeys(settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        example = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(EXAMPLE), str(settings.socket_path), stdout=PIPE, stderr=PIPE
        )
        try:
            topic = f"{prefix_of(agent)}/up/temperature"
            await until(lambda: any(said[0] == topic for said in broker.messages))
            door_of_agent = agent.composition.door
            await until(lambda: any(p.wants("setpoint") for p in door_of_agent._programs))
            assert example.stderr
            for nonsense in (b"warm", b"\xff", b'{"celsius": 1}'):
                broker.say(f"{prefix_of(agent)}/down/setpoint", nonsense)
            broker.say(f"{prefix_of(agent)}/down/setpoint", b"23")
            assert example.stdout
            async with asyncio.timeout(5):
                assert await example.stdout.readline() == b"the set point is 23.0 now\n"
                said = [await example.stderr.readline() for _ in range(4)]
            assert b"no set point: 'warm'\n" in said
            setting = {"version": 4, "desired": {"setpoint": 24.5}}
            broker.say(f"{prefix_of(agent)}/twin/desired", json.dumps(setting).encode())
            async with asyncio.timeout(5):
                assert await example.stdout.readline() == b"the set point is 24.5 now\n"
            await until(lambda: agent.agent.twin().applied == 4)
            assert agent.agent.twin().reported == {"setpoint": 24.5}
            reading = json.loads(next(body for said, body in broker.messages if said == topic))
            assert reading["celsius"] == 20.0
        finally:
            example.terminate()
            await example.communicate()
