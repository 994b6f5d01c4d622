# SPDX-License-Identifier: Apache-2.0
"""The device's half of the twin: kept, shown to programs, reported, whatever is cut off when."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.agents import RunningAgent, quick_settings, running_agent, until
from fakes.awkward_platform import fake_site
from fakes.broker_site import CLOCK, Site
from fakes.broker_site import until as until_somebody
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker
from homeport.agent.journey import State
from homeport.agent.legs.twinning import Twinning
from homeport.agent.memory.records import Credential, Platform
from homeport.agent.memory.twin import TwinFile
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.provisioning.context.change_desired import change_desired
from homeport.server.reactions.pushing import Pushing
from integration.test_agent_door import Program, program

FIRST = {"version": 3, "context": {"name": "Pump 3"}, "desired": {"setpoint": 21}}


@pytest.fixture
def settings(tmp_path):
    with fake_site(tmp_path):
        yield quick_settings(tmp_path)


@pytest.fixture
def broker():
    return FakeBroker()


def tell(broker: FakeBroker, agent: RunningAgent, message: object) -> None:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    broker.say(f"{agent.credential.topics}/twin/desired", payload, retain=True)


def reports(broker: FakeBroker) -> list[dict[str, object]]:
    return [json.loads(body) for topic, body in broker.messages if topic.endswith("/reported")]


async def report(mine: Program, patch: dict[str, object], **more: object) -> dict[str, object]:
    answer: dict[str, object] = await mine.ask({"report": {"patch": patch, **more}})
    return answer


@in_loop
async def test_a_program_is_shown_what_was_set_and_what_is_set_later(settings, broker):
    async with running_agent(settings, broker) as agent, program(settings) as mine:
        await agent.reaches(State.OPERATIONAL)
        nothing = {"version": 0, "context": {}, "desired": {}, "reported": {}, "applied": 0}
        assert await mine.ask({"watch": {}}) == {"twin": nothing}
        tell(broker, agent, FIRST)
        assert await mine.hear() == {"twin": {**nothing, **FIRST}}
        for passed_over in (b"", b"[]", {"version": 2, "desired": {"old": 1}}, FIRST):
            tell(broker, agent, passed_over)
        tell(broker, agent, {"version": 4, "desired": {"setpoint": 22}})
        shown = (await mine.hear())["twin"]
        assert (shown["version"], shown["desired"], shown["context"]) == (4, {"setpoint": 22}, {})
        assert (await mine.ask({"twin": {}}))["twin"] == shown


@in_loop
async def test_what_was_set_while_it_was_away_arrives_and_survives(settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        tell(broker, agent, FIRST)
        prefix = agent.credential.topics
    broker.retained[f"{prefix}/twin/desired"] = json.dumps({**FIRST, "version": 5}).encode()
    async with running_agent(settings, broker) as agent:
        assert agent.agent.twin().version == 3, "from the disk, before any connection"
        await until(lambda: agent.agent.twin().version == 5)


@in_loop
async def test_reports_go_whole_first_and_then_what_changed(settings, broker):
    async with running_agent(settings, broker) as agent, program(settings) as mine:
        await agent.reaches(State.OPERATIONAL)
        tell(broker, agent, FIRST)
        assert await report(mine, {"firmware": "1.2", "n": 1}) == {"ok": True}
        await until(lambda: bool(reports(broker)))
        assert await report(mine, {"n": 2}) == {"ok": True}
        assert await report(mine, {"firmware": None, "n": 3}, applied=3) == {"ok": True}
        await until(lambda: len(reports(broker)) == 2)
        whole, change = reports(broker)
        assert whole["document"] == {"firmware": "1.2", "n": 1}
        assert change["patch"] == {"firmware": None, "n": 3}, "gathered into one message"
        assert (change["counter"], change["applied"]) == (2, 3)
        broker.cut()
        await until(lambda: len(reports(broker)) == 3)
        again = reports(broker)[2]
        assert (again["document"], again["applied"], again["counter"]) == ({"n": 3}, 3, 1)
        assert again["series"] != whole["series"] == change["series"]


@in_loop
async def test_what_was_reported_offline_survives_a_power_cut(settings, broker):
    broker.is_away = True
    async with running_agent(settings, broker), program(settings) as mine:
        assert await report(mine, {"firmware": "1.2"}) == {"ok": True}
    broker.is_away = False
    async with running_agent(settings, broker):
        await until(lambda: bool(reports(broker)))
        assert reports(broker)[0]["document"] == {"firmware": "1.2"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"patch": {"a": "x" * 9000}},
        {"patch": {"a": [[[[[[[[[[[1]]]]]]]]]]]}},
        {"patch": []},
        {"patch": {"n": 2**60}},
        {"applied": 99},
        {"applied": 0},
        {"document": {}},
    ],
)
@in_loop
async def test_what_makes_no_document_is_refused_and_nothing_changes(settings, broker, wrong):
    async with running_agent(settings, broker) as agent, program(settings) as mine:
        answer = await mine.ask({"report": wrong})
        assert answer["error"]["code"] in {"malformed", "too-large"}
        assert agent.agent.twin().reported == {}


@in_loop
async def test_a_reset_forgets_what_the_owner_set(settings, broker):
    async with running_agent(settings, broker) as agent, program(settings) as mine:
        await agent.reaches(State.OPERATIONAL)
        tell(broker, agent, FIRST)
        await report(mine, {"firmware": "1.2"})
        broker.retained.clear()
        assert await mine.ask({"reset": {}}) == {"ok": True}
        await until(lambda: agent.agent.twin().version == 0)
        assert agent.agent.twin().reported == {}
        assert not (settings.state / "twin.json").exists()


def credential(topics: str = "hp/acme/d", epoch: int = 1) -> Credential:
    platform = Platform(name="p", url="https://p", anchors=(), is_home=True)
    return Credential(
        device="d", tenant="acme", upstream="u", epoch=epoch, certificate=(b"",), not_before=0,
        not_after=0, renew_at=0, key="file:x", endpoints=(), topics=topics, platform=platform,
    )  # fmt: skip


def test_another_owner_s_twin_begins_empty(tmp_path):
    twinning = Twinning(TwinFile(tmp_path), CLOCK)
    twinning.report({"firmware": "1.2"}, None)
    twinning.hear(credential(), json.dumps(FIRST).encode())
    assert (twinning.twin.version, twinning.twin.reported) == (3, {"firmware": "1.2"})
    again = Twinning(TwinFile(tmp_path), CLOCK)
    again.hear(credential(epoch=2), b'{"version": 1}')
    assert (again.twin.version, again.twin.desired, again.twin.reported) == (1, {}, {})


def test_a_damaged_twin_begins_empty_and_stops_nobody(tmp_path):
    file = TwinFile(tmp_path)
    Twinning(file, CLOCK).report({"a": 1}, None)
    (tmp_path / "twin.json").write_bytes(b"\0" * 100)
    assert TwinFile(tmp_path).twin.reported == {}


@in_loop
async def test_settings_and_reports_go_through_a_real_broker(tmp_path: Path) -> None:
    site = Site(tmp_path)
    device = await site.device("SN1")
    mine = credential(topics=device.topics.prefix)
    twinning = Twinning(TwinFile(tmp_path), CLOCK)
    twinning.report({"firmware": "1.2"}, None)
    known, now = site.registry.rows.devices[device.id], datetime.now(UTC)
    async with site.running() as (_, link):
        await site.registry.transact(
            lambda tx: change_desired(tx, known, {"setpoint": 21}, actor="ann", now=now)
        )
        uplink = AwscrtUplink(site.uplink_settings(device), CLOCK)
        await uplink.connect()
        await uplink.subscribe(device.topics.desired, lambda _, body: twinning.hear(mine, body))
        async with asyncio.TaskGroup() as group:
            pushing = Pushing(link, site.registry, CLOCK)
            tasks = [
                group.create_task(pushing.work()),
                group.create_task(twinning.say(uplink, mine)),
            ]
            await until_somebody(lambda: twinning.twin.version == 1)
            assert twinning.twin.desired == {"setpoint": 21}
            await until_somebody(lambda: site.registry.rows.twins[device.id].reported)
            twinning.report({"n": 1}, 1)
            await until_somebody(lambda: site.registry.rows.twins[device.id].applied == 1)
            for task in tasks:
                task.cancel()
        assert site.registry.rows.twins[device.id].reported == {"firmware": "1.2", "n": 1}
        await uplink.disconnect()
