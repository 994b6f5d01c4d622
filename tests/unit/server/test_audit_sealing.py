# SPDX-License-Identifier: Apache-2.0
"""The task that seals: when it does, over restarts, and what it does with a broken disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.broker_site import until
from fakes.clock import TurnedClock
from fakes.in_loop import in_loop
from fakes.registry import FakeRegistry
from fakes.sealed_trail import NOW, Sealer, record
from homeport.artefacts.audit_head import AuditHead, peek_head
from homeport.errors import HomeportError
from homeport.provisioning.audit.seal import SEAL_MAX
from homeport.provisioning.audit.verify import verify_trail
from homeport.provisioning.ports import SealedHead
from homeport.server.audit.exporting import Exporting
from homeport.server.audit.heads_file import HeadsFile, lines_of
from homeport.server.audit.sealing import LOOK_EVERY, Sealing

EVERY = timedelta(seconds=60)


class Scene:
    def __init__(self, directory: Path) -> None:
        self.sealer = Sealer(directory)
        self.registry = FakeRegistry()
        self.clock = TurnedClock(NOW)
        self.path = directory / "heads.jsonl"

    @asynccontextmanager
    async def sealing(self, path: Path | None = None) -> AsyncIterator[None]:
        """Run the task meanwhile; in the end it is cancelled, as when the platform stops."""
        task = Sealing(
            self.registry,
            Exporting(self.registry, HeadsFile(path or self.path)),
            self.clock,
            signer=lambda: self.sealer.signer,
            platform=self.sealer.name,
            every=EVERY,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(task.keep())
            await until(lambda: self.clock.sleepers, seconds=10)
            yield
            running.cancel()

    async def pass_time(self, duration: timedelta) -> None:
        self.clock.turn(duration)
        await asyncio.sleep(0)  # who slept wakes up
        await until(lambda: self.clock.sleepers, seconds=10)

    @property
    def heads(self) -> list[AuditHead]:
        return [peek_head(head.jws) for head in self.registry.rows.heads.values()]

    @property
    def exported(self) -> list[int]:
        return [peek_head(line).number for line in lines_of(self.path)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@in_loop
async def test_what_waits_long_enough_is_sealed(scene: Scene) -> None:
    async with scene.sealing():
        await record(scene.registry, 3)
        await scene.pass_time(LOOK_EVERY)
        assert scene.heads == []
        await scene.pass_time(EVERY)
        assert [(h.first, h.last) for h in scene.heads] == [(1, 3)]
        await scene.pass_time(EVERY * 10)
        assert len(scene.heads) == 1, "nothing new, no head"
        assert scene.exported == [1]


@in_loop
async def test_many_are_sealed_at_once(scene: Scene) -> None:
    async with scene.sealing():
        await record(scene.registry, SEAL_MAX + 5)
        await scene.pass_time(LOOK_EVERY)
        assert [h.count for h in scene.heads] == [SEAL_MAX, 5]
    report = await verify_trail(scene.registry, scene.sealer.verifier)
    assert report.holds


@in_loop
async def test_the_end_seals_what_is_left(scene: Scene) -> None:
    async with scene.sealing():
        await record(scene.registry, 3)
    assert [(h.first, h.last) for h in scene.heads] == [(1, 3)]
    assert scene.exported == [1]


@in_loop
async def test_after_a_restart_it_goes_on_where_it_was(scene: Scene) -> None:
    for _ in range(3):
        async with scene.sealing():
            await record(scene.registry, 2)
    assert [(h.first, h.last) for h in scene.heads] == [(1, 2), (3, 4), (5, 6)]
    assert scene.exported == [1, 2, 3]
    report = await verify_trail(
        scene.registry, scene.sealer.verifier, elsewhere=lines_of(scene.path)
    )
    assert report.holds
    assert report.compared == 3


@in_loop
async def test_a_head_that_was_not_exported_before_a_kill_is_exported_after(scene: Scene) -> None:
    await scene.sealer.fill(scene.registry, 1, 1)  # sealed, then killed
    async with scene.sealing():
        assert scene.exported == [1, 2]


@in_loop
async def test_a_line_that_a_full_disk_has_cut_is_left_and_written_again(scene: Scene) -> None:
    first, second = await scene.sealer.fill(scene.registry, 1, 1)
    scene.path.write_bytes(first + b"\n" + second[:700])
    async with scene.sealing():
        pass
    lines = list(lines_of(scene.path))
    assert lines == [first, second[:700], second]


@in_loop
async def test_a_place_that_is_not_there_is_tried_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.path = scene.path.parent / "mount" / "heads.jsonl"
    await scene.sealer.fill(scene.registry, 1)
    async with scene.sealing():
        for _ in range(3):
            await scene.pass_time(LOOK_EVERY)
        assert caplog.text.count("are not exported") == 1, "told once"
        scene.path.parent.mkdir()
        await scene.pass_time(LOOK_EVERY)
        assert scene.exported == [1]


@in_loop
async def test_a_directory_gets_a_file_a_day(scene: Scene) -> None:
    scene.path = scene.path.parent / "heads"
    scene.path.mkdir()
    for _ in range(2):
        async with scene.sealing():
            await record(scene.registry, 1)
        scene.clock.turn(timedelta(days=1))
    names = [path.name for path in sorted(scene.path.iterdir())]
    days = (NOW, NOW + timedelta(days=1))
    assert names == [f"audit-heads-{day:%Y-%m-%d}.jsonl" for day in days]
    assert scene.exported == [1, 2]
    assert HeadsFile(scene.path).last_number() == 2


@in_loop
async def test_a_head_that_cannot_be_read_stops_nobody(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.registry.rows.heads[1] = SealedHead(1, 1, b"garbage", b"")
    async with scene.sealing():
        await record(scene.registry, 1)
        await scene.pass_time(EVERY * 2)
        await scene.pass_time(EVERY * 2)
    assert "the audit trail was not sealed" in caplog.text


def test_an_empty_place_has_no_last_head(tmp_path: Path) -> None:
    assert HeadsFile(tmp_path).last_number() == 0
    assert HeadsFile(tmp_path / "heads.jsonl").last_number() == 0
    with pytest.raises(HomeportError, match="no heads are here"):
        list(lines_of(tmp_path))
