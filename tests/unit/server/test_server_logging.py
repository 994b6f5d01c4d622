# SPDX-License-Identifier: Apache-2.0
import json
import logging
import os
import threading

import pytest

from homeport.errors import Code, HomeportError
from homeport.keys import Secret
from homeport.server import logging as subject
from homeport.server.logging import LineHandler, console_look, json_look, set_up_logging
from homeport.telemetry import DEVICE, about, note


class Pipe:
    """Where lines go, with a reader that may be slow."""

    def __init__(self, look):
        self.reader, writer = os.pipe()
        self.handler = LineHandler(look, writer)
        self.writer = writer
        self.logger = logging.getLogger("homeport.test")
        self.logger.setLevel(logging.INFO)
        self.logger.handlers[:] = [self.handler]
        self.logger.propagate = False

    def lines(self):
        self.handler.close()
        os.close(self.writer)
        with os.fdopen(self.reader, "rb") as file:
            return file.read().decode().splitlines()


@pytest.fixture
def pipe():
    return Pipe(json_look())


def test_an_event_with_its_fields(pipe):
    note(pipe.logger, logging.WARNING, "it happened", device="x-1", count=3)
    (line,) = map(json.loads, pipe.lines())
    time = line.pop("time")
    assert line == {
        "level": "warning",
        "logger": "homeport.test",
        "event": "it happened",
        "device": "x-1",
        "count": 3,
    }
    assert len(time) == len("2026-11-23T06:00:00.000Z")


def test_every_line_inside_is_about_the_device(pipe):
    with about(**{DEVICE: "x-1"}):
        note(pipe.logger, logging.INFO, "first", count=1)
        pipe.logger.info("of a library, %s", "formatted")
        with about(enrolment="e"):
            note(pipe.logger, logging.INFO, "inner")
    note(pipe.logger, logging.INFO, "outside")
    lines = list(map(json.loads, pipe.lines()))
    assert [line.get("device") for line in lines] == ["x-1", "x-1", "x-1", None]
    assert [line.get("enrolment") for line in lines] == [None, None, "e", None]
    assert lines[1]["event"] == "of a library, formatted"


def test_extra_fields_of_others(pipe):
    pipe.logger.info("admitted", extra={"peer": "10.0.0.1"})
    (line,) = map(json.loads, pipe.lines())
    assert line["peer"] == "10.0.0.1"
    assert "homeport_fields" not in line
    assert "pathname" not in line


def test_a_trace(pipe):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        pipe.logger.exception("request failed")
    (line,) = map(json.loads, pipe.lines())
    assert "ZeroDivisionError" in line["trace"]


def test_secrets_and_odd_values(pipe):
    note(pipe.logger, logging.INFO, "odd", pin=Secret("1234"), place=Code.MALFORMED, it=object())
    (text,) = pipe.lines()
    assert "1234" not in text
    assert json.loads(text)["place"] == "malformed"


def test_a_line_break_cannot_forge_a_line(pipe):
    note(pipe.logger, logging.INFO, "refused", detail='x\n{"event": "forged"}')
    assert len(pipe.lines()) == 1


def test_console():
    pipe = Pipe(console_look())
    note(pipe.logger, logging.INFO, "it happened", device="x-1", detail="a\nb")
    (line,) = pipe.lines()
    assert "it happened" in line
    assert "device=x-1" in line


def test_nothing_in_a_line_drives_the_terminal():
    """What nats-server says of a client holds the client's own words; 0x9b is a CSI by itself."""
    pipe = Pipe(console_look())
    pipe.logger.warning("nats-server: %s", "\x1b]0;evil\x07\r\n12:00:00 forged")
    note(pipe.logger, logging.INFO, "odd", model="\x9b2J", title="\u202ereversed")
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        pipe.logger.exception("failed")
    lines = pipe.lines()
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("12:00:00 forged") for line in lines)
    assert "ValueError: \\x1b[2J" in lines


def test_a_reader_that_stands_still_stops_nobody(monkeypatch):
    monkeypatch.setattr(subject, "QUEUE_LIMIT", 50)
    pipe = Pipe(json_look())
    done = threading.Event()

    def log_much():
        for _ in range(20_000):  # far more than pipe and queue hold
            note(pipe.logger, logging.INFO, "x" * 100)
        done.set()

    threading.Thread(target=log_much).start()
    assert done.wait(10)
    collected: list[bytes] = []

    def read():
        with os.fdopen(pipe.reader, "rb") as file:
            collected.extend(file)

    reading = threading.Thread(target=read)
    reading.start()
    pipe.handler.close()
    os.close(pipe.writer)
    reading.join(10)
    lines = list(map(json.loads, collected))
    dropped = sum(line["count"] for line in lines if line["event"] == "log lines dropped")
    assert dropped > 0
    assert dropped + sum(line["event"] != "log lines dropped" for line in lines) == 20_000


def test_a_reader_that_went_away_stops_nobody(pipe):
    os.close(pipe.reader)
    for _ in range(100):
        note(pipe.logger, logging.INFO, "to nobody")
    pipe.handler.close()
    os.close(pipe.writer)


@pytest.mark.parametrize(("level", "look"), [("loud", "json"), ("info", "xml")])
def test_wrong_settings(level, look):
    with pytest.raises(HomeportError) as caught:
        set_up_logging(level, look)
    assert caught.value.code is Code.SETTING_WRONG
