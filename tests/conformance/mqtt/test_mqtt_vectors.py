# SPDX-License-Identifier: Apache-2.0
"""Every vector of docs/protocols/mqtt.md: state messages and topics."""

import json
from pathlib import Path
from typing import Any

import pytest

from homeport.domain.topics import Topic
from homeport.errors import MalformedError
from homeport.protocols.mqtt import commands
from homeport.protocols.mqtt.wire import (
    DeviceTopics,
    Offline,
    Online,
    encode,
    read_desired,
    read_reported,
    read_state,
)

FOLDER = Path(__file__).parents[2] / "vectors" / "mqtt"
STATES = sorted((FOLDER / "state").glob("*.json"))
TWINS = sorted((FOLDER / "twin").glob("*.json"))
COMMANDS = sorted((FOLDER / "command").glob("*.json"))
RESULTS = sorted((FOLDER / "result").glob("*.json"))
TOPICS: dict[str, Any] = json.loads((FOLDER / "topics" / "topics.json").read_text())


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_a_state_message_is_read_as_its_vector_says(path: Path) -> None:
    vector = json.loads(path.read_text())
    payload = vector["payload"].encode()
    if vector["verdict"] == "malformed":
        with pytest.raises(MalformedError):
            read_state(payload)
        return
    message = read_state(payload)
    expected: type = {"online": Online, "offline": Offline}[vector["verdict"]]
    assert type(message) is expected
    assert read_state(encode(message)) == message


def test_there_are_vectors_for_both_verdicts() -> None:
    verdicts = {json.loads(path.read_text())["verdict"] for path in STATES}
    assert verdicts == {"online", "offline", "malformed"}


@pytest.mark.parametrize("path", [*COMMANDS, *RESULTS], ids=lambda path: path.stem)
def test_a_command_and_a_result_are_read_as_their_vectors_say(path: Path) -> None:
    vector = json.loads(path.read_text())
    is_command = path.parent.name == "command"
    read = commands.read_command if is_command else commands.read_result
    payload = vector["payload"].encode()
    if vector["verdict"] == "malformed":
        with pytest.raises(MalformedError):
            read(payload)
        return
    message = read(payload)
    assert read(commands.encode(message)) == message


@pytest.mark.parametrize("paths", [COMMANDS, RESULTS])
def test_there_are_good_and_bad_commands_and_results(paths: list[Path]) -> None:
    assert len({json.loads(path.read_text())["verdict"] for path in paths}) == 2


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_a_twin_message_is_read_as_its_vector_says(path: Path) -> None:
    vector = json.loads(path.read_text())
    payload = vector["payload"].encode()
    readers: dict[str, Any] = {"desired": read_desired, "reported": read_reported}
    read = readers[vector["kind"]]
    if vector["verdict"] == "malformed":
        with pytest.raises(MalformedError):
            read(payload)
        return
    message, said = read(payload), json.loads(vector["payload"])
    for name in ("version", "context", "desired", "series", "counter", "document", "patch"):
        if name in said:
            assert getattr(message, name) == said[name]
    assert getattr(message, "applied", None) == said.get("applied")


@pytest.mark.parametrize("row", TOPICS["good"], ids=lambda row: row["topic"])
def test_a_topic_is_its_subject_and_back(row: dict[str, str]) -> None:
    topic = Topic.parse(row["topic"])
    assert topic.subject == row["subject"]
    assert Topic.parse_subject(row["subject"]) == topic
    assert str(topic) == row["topic"]


@pytest.mark.parametrize("topic", TOPICS["bad"])
def test_what_is_no_topic_of_a_device_is_refused(topic: str) -> None:
    with pytest.raises(MalformedError):
        Topic.parse(topic)


def test_a_device_spells_its_topics_from_its_prefix() -> None:
    topics = DeviceTopics.parse(TOPICS["prefix"])
    spelt = {topics.state, topics.command, topics.result, topics.up("temperature/1")}
    spelt |= {topics.desired, topics.reported}
    assert spelt < {row["topic"] for row in TOPICS["good"]}
    assert topics.down_channel(f"{TOPICS['prefix']}/down/set/x") == "set/x"
    for wrong in ("", "a.b", "+", "#", "a//b"):
        with pytest.raises(MalformedError):
            topics.up(wrong)
    for foreign in (topics.state, topics.up("x"), f"{TOPICS['prefix']}2/down/x"):
        with pytest.raises(MalformedError):
            topics.down_channel(foreign)
