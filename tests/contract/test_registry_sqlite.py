# SPDX-License-Identifier: Apache-2.0
"""What is particular to SQLite: the file, its schema, other processes, and disks that fail."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from contract.registry_suite import all_devices, device, device_id, event, finished, in_child, put
from homeport.errors import Code, HomeportError
from homeport.storage.schema import METADATA
from homeport.storage.sqlite import SqliteRegistry, writer
from homeport.storage.upgrade import HEAD, MIGRATIONS, prepare


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry ü?#%41.db"


# --- the file and its schema ----------------------------------------------------------------------


def test_the_file_and_its_log_are_readable_by_their_owner_alone(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            await opened.transact(lambda tx: tx.devices.put(device()))
            return {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    previous = os.umask(0)
    try:
        modes = asyncio.run(work())
    finally:
        os.umask(previous)
    assert set(modes) == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert set(modes.values()) == {0o600}


def test_migrations_and_tables_agree(path):
    prepare(path)
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        made = words_of_all(connection)
    engine.dispose()
    # Alembic compares neither the conditions of indexes nor WITHOUT ROWID: SQLite's own text does.
    direct = create_engine("sqlite://")
    with direct.connect() as connection:
        METADATA.create_all(connection)
        assert words_of_all(connection) == made
    direct.dispose()


def words_of_all(connection):
    """The words of each statement that made something; constraints may stand in any order."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL"
    )
    return {name: sorted(re.findall(r"\w+", sql)) for name, sql in rows}


def test_head_names_the_newest_migration():
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_current_head() == HEAD
    for revision in script.walk_revisions():
        assert Path(revision.path).name.startswith(f"v{revision.revision}_")


def test_an_upgrade_that_fails_leaves_nothing_half_made(path, monkeypatch):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        other.execute("CREATE TABLE credentials (x)")  # in the way of the first migration
        other.execute("INSERT INTO alembic_version VALUES ('0000')")
        other.commit()
    (broken := path.parent / "migrations").mkdir()
    shutil.copytree(MIGRATIONS, broken, dirs_exist_ok=True)
    (broken / "versions" / "v0000_nothing.py").write_text(
        "revision, down_revision = '0000', None\ndef upgrade(): pass\n"
    )
    first = broken / "versions" / "v0001_initial.py"
    text = first.read_text().replace("down_revision: Final = None", 'down_revision = "0000"')
    first.write_text(text)
    monkeypatch.setattr("homeport.storage.upgrade.MIGRATIONS", broken)
    with pytest.raises(HomeportError) as caught:
        prepare(path)
    assert caught.value.code is Code.STORAGE_UNAVAILABLE
    assert "credentials" in caught.value.detail
    with closing(sqlite3.connect(path)) as other:
        tables = {name for (name,) in other.execute("SELECT name FROM sqlite_master")}
        assert tables == {"alembic_version", "credentials"}
        assert other.execute("SELECT * FROM alembic_version").fetchall() == [("0000",)]


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["UPDATE alembic_version SET version_num = '9999'"], "newer Homeport"),
        (["DELETE FROM alembic_version"], "another program"),
        (["DROP TABLE alembic_version"], "another program"),
    ],
)
def test_a_file_that_is_not_for_this_program_is_refused_and_left_alone(path, statements, reason):
    prepare(path)
    with closing(sqlite3.connect(path)) as other:
        for statement in statements:
            other.execute(statement)
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(HomeportError, match=reason) as caught:
        prepare(path)
    assert caught.value.code is Code.STORAGE_UNAVAILABLE
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(HomeportError, match="not a database") as caught:
        prepare(path)
    assert caught.value.code is Code.STORAGE_UNAVAILABLE


def test_a_folder_that_is_not_there_is_named(path):
    with pytest.raises(HomeportError, match="absent") as caught:
        prepare(path.parent / "absent" / "registry.db")
    assert caught.value.code is Code.STORAGE_UNAVAILABLE


def test_processes_that_open_a_new_file_at_once_take_turns(path):
    code = (
        "async def main():\n"
        "    async with SqliteRegistry(path) as r:\n"
        "        await r.transact(lambda tx: tx.audit.record(event()))\n"
        "asyncio.run(main())"
    )
    for child in [in_child(code, path) for _ in range(4)]:
        finished(child)

    async def look():
        async with SqliteRegistry(path) as opened:
            return await opened.read(lambda tx: tx.audit.last())

    assert asyncio.run(look()) == 4


# --- other processes ------------------------------------------------------------------------------


def test_a_commit_of_another_process_changes_the_version(path):
    code = (
        "async def main():\n"
        "    async with SqliteRegistry(path) as r:\n"
        "        await r.transact(lambda tx: tx.devices.put(device()))\n"
        "asyncio.run(main())"
    )

    async def work():
        async with SqliteRegistry(path) as opened:
            before = await opened.version()
            assert await opened.version() == before
            finished(in_child(code, path))
            assert await opened.version() != before
            return await opened.read(lambda tx: tx.devices.get(device_id()))

    assert asyncio.run(work()) == device()


_WRITES_UNTIL_KILLED = """
async def verb(tx, number):
    await tx.devices.put(device(f"SN-{number}"))
    for part in range(3):
        await tx.audit.record(event(device=device_id(f"SN-{number}")))
async def main():
    async with SqliteRegistry(path) as r:
        number = 0
        while True:
            some = range(number, number + 20)
            await asyncio.gather(*(r.transact(lambda tx, n=n: verb(tx, n)) for n in some))
            number += 20
            print(number, flush=True)
asyncio.run(main())
"""


@pytest.mark.faults
@pytest.mark.parametrize("rounds", [1, 3, 10, 40, 41])
def test_a_killed_writer_loses_nothing_that_was_promised(path, rounds):
    child = in_child(_WRITES_UNTIL_KILLED, path)
    assert child.stdout is not None
    promised = 0
    for _ in range(rounds):
        promised = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait(timeout=30)
    child.stdout.close()
    promised = int(rest[-1]) if rest else promised

    async def look():
        async with SqliteRegistry(path) as opened:
            kept = await opened.read(all_devices)
            told = await opened.read(lambda tx: tx.audit.since(0, limit=1_000_000))
            await opened.transact(lambda tx: tx.devices.put(device("after")))
            return {known.id for known in kept}, [told_of.device for told_of in told]

    devices, told = asyncio.run(look())
    assert {device_id(f"SN-{number}") for number in range(promised)} <= devices
    assert sorted(map(str, told)) == sorted(str(known) for known in devices for _ in range(3))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_writer_waits_for_another_process_that_holds_the_lock(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            with closing(
                sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            ) as other:
                other.execute("BEGIN IMMEDIATE")
                async with asyncio.TaskGroup() as group:
                    writing = opened.transact(lambda tx: tx.devices.put(device()))
                    waiting = group.create_task(writing)
                    # Meanwhile reading goes on.
                    assert await opened.read(lambda tx: tx.devices.get(device_id())) is None
                    assert not waiting.done()
                    other.execute("COMMIT")
            return await opened.read(lambda tx: tx.devices.get(device_id()))

    assert asyncio.run(work()) == device()


def test_a_lock_that_is_held_too_long_is_an_error_of_all_who_waited(path, monkeypatch):
    monkeypatch.setattr(writer, "BUSY_TIMEOUT", writer.KNOCK * 6)

    async def work():
        async with SqliteRegistry(path) as opened:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                puts = [put(opened, device(f"SN-{n}")) for n in range(3)]
                errors = await asyncio.gather(*puts, return_exceptions=True)
            await opened.transact(lambda tx: tx.devices.put(device("SN-9")))
            return errors

    for error in asyncio.run(work()):
        assert isinstance(error, HomeportError)
        assert error.code is Code.STORAGE_UNAVAILABLE
        assert error.retry_after is not None
        assert "locked" in error.detail


def test_reading_is_one_consistent_view(path):
    async def work():
        async with SqliteRegistry(path) as opened:
            seen, goes_on = threading.Event(), threading.Event()

            async def look(tx):
                first = await tx.audit.last()
                seen.set()
                assert goes_on.wait(30)
                return first, await tx.audit.last()

            async with asyncio.TaskGroup() as group:
                reading = group.create_task(opened.read(look))
                await asyncio.to_thread(seen.wait, 30)
                await opened.transact(lambda tx: tx.audit.record(event()))
                goes_on.set()
            return reading.result(), await opened.read(lambda tx: tx.audit.last())

    assert asyncio.run(work()) == ((0, 0), 1)


# --- who waits for whom ---------------------------------------------------------------------------


def test_an_urgent_question_does_not_wait_for_others_that_read(path):
    may_end = threading.Event()

    async def long_listing(tx):
        await tx.devices.get(device_id())
        may_end.wait(timeout=30)

    async def work():
        async with SqliteRegistry(path) as opened, asyncio.TaskGroup() as group:
            listings = [group.create_task(opened.read(long_listing)) for _ in range(20)]
            await asyncio.sleep(0)
            try:
                async with asyncio.timeout(10):
                    await opened.read(lambda tx: tx.devices.get(device_id()), is_urgent=True)
                return not any(listing.done() for listing in listings)
            finally:
                may_end.set()

    assert asyncio.run(work())
