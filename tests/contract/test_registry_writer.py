# SPDX-License-Identifier: Apache-2.0
"""What is particular to SQLite's writer: staged imports, disks that fail, queues that are full."""

import asyncio
import sqlite3
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from contract.registry_suite import (
    MAKER,
    NOW,
    all_devices,
    device,
    device_id,
    event,
    finished,
    in_child,
    minted,
    put,
)
from homeport.errors import Code, HomeportError
from homeport.storage.sqlite import SqliteRegistry, registry
from homeport.storage.sqlite.staging import staging_folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry ü?#%41.db"


# --- staging --------------------------------------------------------------------------------------


def test_while_a_manifest_is_laid_ready_others_write(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            written = threading.Event()

            def lines():
                yield minted("SN-1")
                assert written.wait(30)
                yield minted("SN-2")

            async def lay():
                async with opened.stage_minted(MAKER, lines()) as staged:
                    return await opened.transact(lambda tx: tx.devices.add_minted(staged, NOW))

            async with asyncio.TaskGroup() as group:
                laying = group.create_task(lay())
                await opened.transact(lambda tx: tx.devices.put(device("SN-3")))
                written.set()
            return laying.result()

    assert asyncio.run(work()) == 2
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_import_that_is_given_up_ends_and_leaves_nothing(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            asked = threading.Event()

            def lines():
                number = 0
                while True:
                    yield minted(f"SN-{number}")
                    number += 1
                    asked.set()

            async def lay():
                async with opened.stage_minted(MAKER, lines()):
                    raise AssertionError("endless")

            async with asyncio.TaskGroup() as group:
                laying = group.create_task(lay())
                await asyncio.to_thread(asked.wait, 30)
                laying.cancel()
            assert laying.cancelled()

    asyncio.run(work())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_a_killed_import_left_behind_is_swept_and_what_lives_is_not(path):
    code = (
        "async def main():\n"
        "    async with SqliteRegistry(path) as r, r.stage_minted(MAKER, [minted()]) as s:\n"
        "        print(s.path.parent, flush=True); sys.stdin.read()\n"
        "asyncio.run(main())"
    )
    children = [in_child(code, path, stdin=subprocess.PIPE) for _ in range(2)]
    dead, alive = (Path(child.stdout.readline().strip()) for child in children)
    children[0].kill()
    children[0].communicate()
    assert dead.exists()

    async def work():
        async with SqliteRegistry(path) as opened, opened.stage_minted(MAKER, [minted()]):
            return dead.exists(), alive.exists(), stat.S_IMODE(alive.stat().st_mode)

    assert asyncio.run(work()) == (False, True, 0o700)
    finished(children[1])
    assert not alive.exists()


def test_folders_made_at_the_same_time_do_not_sweep_each_other(path):
    def make(_):
        with staging_folder(path) as folder:
            (folder / "rows").touch()
            return folder.exists()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(make, range(200)))
    assert list(path.parent.iterdir()) == []


def test_a_folder_in_which_nothing_can_be_made_is_named(path):
    with (
        pytest.raises(HomeportError, match="absent") as caught,
        staging_folder(path.parent / "absent" / "registry.db"),
    ):
        raise AssertionError("there is no such folder")
    assert caught.value.code is Code.STORAGE_UNAVAILABLE


def test_two_manifests_in_one_commit(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            one = opened.stage_minted(MAKER, [minted("SN-1")])
            two = opened.stage_minted(MAKER, [minted("SN-2"), minted("SN-1")])
            async with one as first, two as second:
                return await asyncio.gather(
                    opened.transact(lambda tx: tx.devices.add_minted(first, NOW)),
                    opened.transact(lambda tx: tx.devices.add_minted(second, NOW)),
                    opened.transact(lambda tx: tx.devices.add_minted(first, NOW)),
                )

    assert asyncio.run(work()) == [1, 1, 0]


# --- the writer -----------------------------------------------------------------------------------


def test_a_full_disk_fails_those_whom_it_concerns_and_passes(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            raw = opened._writing()._connection.raw
            await opened.transact(lambda tx: tx.devices.put(device("SN-0")))
            (pages,) = raw.execute("PRAGMA page_count").fetchone()
            raw.execute(f"PRAGMA max_page_count={pages}")
            large = device("SN-1", model="x" * 1_000_000)
            small = [put(opened, device("SN-0", epoch=n)) for n in range(3)]
            results = await asyncio.gather(
                opened.transact(lambda tx: tx.devices.put(large)), *small, return_exceptions=True
            )
            raw.execute("PRAGMA max_page_count=1000000")
            await opened.transact(lambda tx: tx.devices.put(large))
            return results, await opened.read(lambda tx: tx.devices.get(device_id("SN-0")))

    results, known = asyncio.run(work())
    assert isinstance(results[0], HomeportError)
    assert results[0].code is Code.STORAGE_UNAVAILABLE
    assert "full" in results[0].detail
    kept = [number for number, result in enumerate(results[1:]) if result is None]
    assert all(isinstance(result, HomeportError) for result in results[1:] if result is not None)
    assert known.epoch == (kept[-1] if kept else 0)


def test_a_commit_that_fails_fails_the_whole_group(path, monkeypatch):
    async def work():
        async with SqliteRegistry(path) as opened:
            writer = opened._writing()
            execute = writer._execute

            def failing(sql):
                if sql == "COMMIT":
                    raise sqlite3.OperationalError("disk I/O error")
                return execute(sql)

            monkeypatch.setattr(writer, "_execute", failing)
            puts = [put(opened, device(str(n))) for n in range(5)]
            errors = await asyncio.gather(*puts, return_exceptions=True)
            monkeypatch.setattr(writer, "_execute", execute)
            await opened.transact(lambda tx: tx.devices.put(device("after")))
            kept = await opened.read(all_devices)
            return errors, [known.id.serial_number for known in kept]

    errors, kept = asyncio.run(work())
    assert [getattr(error, "code", None) for error in errors] == [Code.STORAGE_UNAVAILABLE] * 5
    assert kept == ["after"]


def test_more_waiting_verbs_than_can_be_served_are_sent_away(path, monkeypatch):
    monkeypatch.setattr(registry, "WAITING_MAX", 5)

    async def work():
        async with SqliteRegistry(path) as opened:
            puts = [opened.transact(lambda tx: tx.audit.record(event())) for _ in range(8)]
            results = await asyncio.gather(*puts, return_exceptions=True)
            return results, await opened.transact(lambda tx: tx.audit.last())

    results, kept = asyncio.run(work())
    refused = [result for result in results if result is not None]
    assert [(error.code, error.retry_after is not None) for error in refused] == [
        (Code.STORAGE_UNAVAILABLE, True)
    ] * 3
    assert kept == 5


def test_closing_finishes_what_was_asked(path):
    async def work():
        opened = SqliteRegistry(path)
        await opened.open()
        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(opened.transact(lambda tx: tx.audit.record(event())))
            await asyncio.sleep(0)
            await opened.close()
        with pytest.raises(RuntimeError, match="not open"):
            await opened.transact(lambda tx: tx.audit.last())
        with pytest.raises(RuntimeError, match="not open"):
            await opened.read(lambda tx: tx.audit.last())

    asyncio.run(work())
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM audit_events").fetchone() == (200,)


def test_commits_reach_the_disk(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            raw = opened._writing()._connection.raw
            return [
                raw.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]

    assert asyncio.run(work()) == ["wal", 2, 1]
