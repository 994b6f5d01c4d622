# SPDX-License-Identifier: Apache-2.0
"""`homeport agent status`: where the device stands, what it waits for, and what failed lately."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from homeport.agent.local.caller import ask
from homeport.agent.local.messages import Nothing, Request
from homeport.agent.memory.diary import Status, read_status
from homeport.agent.settings import AgentSettings
from homeport.errors import Code, HomeportError
from homeport.telemetry import visible


def status(settings: AgentSettings, options: argparse.Namespace) -> int:
    """Print it: from the running agent, else from what it wrote last."""
    try:
        found, is_running = ask(settings.socket_path, Request(status=Nothing())).status, True
    except HomeportError:
        found, is_running = read_status(settings.state), False
    if found is None:
        raise HomeportError(Code.AGENT_ABSENT, f"none has run with {settings.state}")
    if options.json:
        shown = {**msgspec.to_builtins(found), "running": is_running}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")
    else:
        print("\n".join(map(visible, _lines(found, is_running=is_running))))
    return 0


def _lines(found: Status, *, is_running: bool) -> Iterator[str]:
    running = f"process {found.process}" if is_running else f"not running since {_time(found.at)}"
    yield f"{found.model} {found.serial_number}: {found.state} since {_time(found.since)}"
    yield f"  agent      {found.version}, {running}"
    software = " (software key: for development only)" if found.key_kind == "file" else ""
    yield f"  key        {found.key_kind}{software}"
    if found.device:
        yield f"  device     {found.device}"
        yield f"  tenant     {found.tenant}, upstream {found.upstream}"
        ends, renewed = _time(found.certificate_ends), _time(found.renew_at)
        yield f"  LDevID     until {ends}, renewed from {renewed}"
    if found.endpoint:
        yield f"  connected  {found.endpoint}"
    if found.is_held:
        yield "  quarantine messages go neither up nor down until the platform releases the device"
    if found.told:
        yield f"  {found.told.code}: {found.told.title}"
        yield f"             {found.told.advice}"
    if found.clock_problem:
        yield f"  clock      {found.clock_problem}"
    if found.next_attempt and is_running:
        yield f"  next try   {_time(found.next_attempt)}"
    for failure in found.failures:
        yield f"  {_time(failure.at)} {failure.what}: {failure.title} {failure.detail}"
    if found.failures:
        yield f"  advice     {found.failures[-1].advice}"


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
