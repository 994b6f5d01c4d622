# SPDX-License-Identifier: Apache-2.0
"""A DNS-SD child that is broken or hostile costs one source of discovery, not the agent."""

import asyncio
import os
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from homeport.agent.discovery.services import (
    MAX_SERVICES,
    Announcement,
    Service,
    announcing,
    browse,
)

EDGE = '{"host": "e%d.local", "port": 8443, "addresses": []}'


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the child imports instead of the real library: it decides what the child does."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "zeroconf.py"


async def found(duration: timedelta = timedelta(seconds=1)) -> list[Service]:
    async with aclosing(browse(duration)) as services:
        return [service async for service in services]


def test_a_child_that_fails_is_told(child: Path) -> None:
    child.write_text("raise ImportError('zeroconf is not installed')")
    with pytest.raises(ChildProcessError, match="status 1"):
        asyncio.run(found())


def test_a_line_without_end_is_told(child: Path) -> None:
    child.write_text("print('x' * 100_000, flush=True); input()")
    with pytest.raises(ChildProcessError, match="too long"):
        asyncio.run(found())


def test_broken_lines_are_passed_over(child: Path, caplog: pytest.LogCaptureFixture) -> None:
    child.write_text(f"print('rubbish'); print('{EDGE % 1}'); raise SystemExit(0)")
    assert asyncio.run(found()) == [Service("e1.local", 8443, ())]
    assert "no JSON" in caplog.text


def test_a_crowded_lan_is_bounded(child: Path) -> None:
    child.write_text(f"for n in range(1000): print('{EDGE}' % n)\nraise SystemExit(0)")
    assert len(asyncio.run(found())) == MAX_SERVICES


def test_a_child_that_hangs_is_killed(child: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child.write_text(
        f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
        f"print('{EDGE % 1}', flush=True)\ntime.sleep(1000)"
    )

    async def first_edge() -> None:
        async with aclosing(browse(timedelta(seconds=1000))) as services:
            async for _ in services:
                break

    asyncio.run(first_edge())
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_an_announcement_that_fails_does_not_stop_the_agent(child: Path) -> None:
    child.write_text("raise ImportError('zeroconf is not installed')")

    async def announce() -> str:
        async with announcing(Announcement("Pump 3", "SN-000123")):
            return "went on"

    assert asyncio.run(announce()) == "went on"
