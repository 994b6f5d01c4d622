# SPDX-License-Identifier: Apache-2.0
"""Every way to tamper with the real file, and that verifying says what was done to which event."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from fakes.sealed_trail import NOW, Sealer, record
from homeport.artefacts.audit_head import peek_head
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.audit.export import export_trail, verify_export
from homeport.provisioning.audit.findings import FINDINGS_MAX, Report, Wrong
from homeport.provisioning.audit.verify import verify_trail
from homeport.provisioning.ports import SealedHead
from homeport.storage.sqlite import SqliteRegistry

FILLED = (7, 10, 5)
"""Events under heads 1, 2 and 3: cursors 1–7, 8–17, 18–22. Three more have no head."""
REST = 3


class Scene:
    """A registry that was sealed, what was exported, and somebody with write access to the file."""

    def __init__(self, directory: Path) -> None:
        self.sealer = Sealer(directory)
        self.path = directory / "registry.sqlite"
        self.exported: list[bytes] = asyncio.run(self._fill())

    async def _fill(self) -> list[bytes]:
        async with SqliteRegistry(self.path) as registry:
            heads = await self.sealer.fill(registry, *FILLED)
            await record(registry, REST)
            return heads

    def tamper(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as raw, raw:
            for statement in statements:
                raw.execute(statement)

    def reseal(self, number: int) -> None:
        """Throw heads away and sign anew, as somebody with the domain key could."""
        self.tamper(f"DELETE FROM audit_heads WHERE number >= {number}")  # noqa: S608

        async def work() -> None:
            async with SqliteRegistry(self.path) as registry:
                while await self.sealer.seal(registry):
                    pass

        asyncio.run(work())

    def verify(self, elsewhere: Iterable[bytes] = ()) -> Report:
        async def work() -> Report:
            async with SqliteRegistry(self.path) as registry:
                return await verify_trail(registry, self.sealer.verifier, elsewhere=elsewhere)

        return asyncio.run(work())

    def found(self, elsewhere: Iterable[bytes] = ()) -> list[tuple[Wrong, int | None, int | None]]:
        return [(f.wrong, f.cursor, f.head) for f in self.verify(elsewhere).findings]

    def export(self) -> list[str]:
        async def work() -> list[str]:
            async with SqliteRegistry(self.path) as registry:
                return [line async for line in export_trail(registry)]

        return asyncio.run(work())


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_trail_that_nobody_touched_holds(scene: Scene) -> None:
    report = scene.verify(scene.exported)
    assert report.holds
    assert (report.events, report.heads, report.compared) == (22, 3, 3)
    assert (report.last, report.unsealed, report.unsealed_since) == (22, 3, NOW)
    assert report.platforms == {"platform.example"}


def test_an_empty_trail_holds(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)

    async def work() -> Report:
        async with SqliteRegistry(tmp_path / "registry.sqlite") as registry:
            assert await sealer.seal(registry) is None
            return await verify_trail(registry, sealer.verifier)

    assert asyncio.run(work()).holds


SWAP = (
    "UPDATE audit_events SET cursor = -9 WHERE cursor = 9",
    "UPDATE audit_events SET cursor = 9 WHERE cursor = 12",
    "UPDATE audit_events SET cursor = 12 WHERE cursor = -9",
)
INSERT = (
    "INSERT INTO audit_events (cursor, name, at, actor, facts) VALUES ({}, 'tenant:added', 1, 'x',"
    " '{{}}')"
)


FORGE_SIGNATURE = """UPDATE audit_heads SET jws = replace(jws, '"signature":"', '"signature":"A')
 WHERE number = 3"""
REPEAT_A_HEAD = """UPDATE audit_heads SET jws = (SELECT jws FROM audit_heads WHERE number = 1)
 WHERE number = 2"""


@pytest.mark.parametrize(
    ("statements", "findings"),
    [
        *(
            ([f"UPDATE audit_events SET {column} = {value} WHERE cursor = 9"],  # noqa: S608
             [(Wrong.EVENT_ALTERED, 9, 2)])
            for column, value in {
                "name": "'device:revoked'", "at": "at + 1", "actor": "'operator bob'",
                "tenant": "'bolt'", "device": "'bbbbbbbbbbbbbbbb-SN-9'", "enrolment": "''",
                "facts": "'{}'",
            }.items()
        ),
        (["UPDATE audit_events SET facts = facts || ' ' WHERE cursor = 1"],
         [(Wrong.EVENT_ALTERED, 1, 1)]),
        (["UPDATE audit_events SET name = x'ff', facts = x'fe' WHERE cursor = 22"],
         [(Wrong.EVENT_ALTERED, 22, 3)]),
        (["DELETE FROM audit_events WHERE cursor = 8"], [(Wrong.EVENT_REMOVED, 8, 2)]),
        (["DELETE FROM audit_events WHERE cursor IN (1, 2, 22)"],
         [(Wrong.EVENT_REMOVED, 1, 1), (Wrong.EVENT_REMOVED, 2, 1), (Wrong.EVENT_REMOVED, 22, 3)]),
        (["DELETE FROM audit_events WHERE cursor >= 21"],
         [(Wrong.EVENT_REMOVED, 21, 3), (Wrong.EVENT_REMOVED, 22, 3)]),
        (["DELETE FROM audit_events WHERE cursor = 10", INSERT.format(10)],
         [(Wrong.EVENT_ALTERED, 10, 2)]),
        ([INSERT.format(0)], [(Wrong.EVENT_INSERTED, 0, 1)]),
        ([INSERT.format(-(1 << 62))], [(Wrong.EVENT_INSERTED, -(1 << 62), 1)]),
        (SWAP, [(Wrong.EVENT_MOVED, 9, 2), (Wrong.EVENT_MOVED, 12, 2)]),
        (["UPDATE audit_events SET cursor = -cursor WHERE cursor = 20"],
         [(Wrong.EVENT_INSERTED, -20, 1), (Wrong.EVENT_REMOVED, 20, 3)]),
        (["UPDATE audit_events SET facts = '{}' WHERE cursor = 9",
          "UPDATE audit_heads SET marks = x'' WHERE number = 2"],
         [(Wrong.EVENT_INSERTED, cursor, 2) for cursor in range(8, 18)]),
        (["UPDATE audit_heads SET marks = x'00' WHERE number = 2"],
         [(Wrong.HEAD_ALTERED, None, 2)]),
        (["DELETE FROM audit_heads WHERE number = 2"], [(Wrong.HEAD_MISSING, 18, 2)]),
        (["DELETE FROM audit_heads WHERE number = 1"], [(Wrong.HEAD_MISSING, 8, 1)]),
        (["UPDATE audit_heads SET jws = x'7b7d' WHERE number = 2"],
         [(Wrong.HEAD_UNPROVEN, None, 2)]),
        ([FORGE_SIGNATURE], [(Wrong.HEAD_UNPROVEN, None, 3)]),
        (["UPDATE audit_heads SET number = 9 WHERE number = 3"], [(Wrong.HEAD_UNPROVEN, None, 9)]),
        (["UPDATE audit_heads SET last = 900"], []),  # the signed statement counts
        ([REPEAT_A_HEAD], [(Wrong.HEAD_UNPROVEN, None, 2)]),
    ],
)  # fmt: skip
def test_what_was_done_is_found_and_where(
    scene: Scene, statements: list[str], findings: list[tuple[Wrong, int, int]]
) -> None:
    scene.tamper(*statements)
    assert sorted(scene.found(), key=str) == sorted(findings, key=str)


def with_forged_marks(scene: Scene) -> None:
    """Alter an event, and the marks to fit: only the signed head is beyond the forger."""
    from homeport.domain.trail.chain import KeptEvent, chained

    scene.tamper("UPDATE audit_events SET actor = 'nobody' WHERE cursor = 9")

    async def work() -> bytes:
        async with SqliteRegistry(scene.path) as registry:
            events: Iterable[KeptEvent] = await registry.read(lambda tx: tx.audit.kept(7, limit=10))
            return chained(events).marks

    marks = asyncio.run(work()).hex()
    scene.tamper(f"UPDATE audit_heads SET marks = x'{marks}' WHERE number = 2")  # noqa: S608


def test_with_forged_marks_the_stretch_is_named(scene: Scene) -> None:
    with_forged_marks(scene)
    assert scene.found() == [(Wrong.EVENTS_UNFIT, 8, 2)]


def test_a_tail_cut_off_with_its_heads_is_told_by_a_head_kept_elsewhere(scene: Scene) -> None:
    scene.tamper(
        "DELETE FROM audit_events WHERE cursor > 17", "DELETE FROM audit_heads WHERE number = 3"
    )
    assert scene.verify().holds, "the file alone cannot know"
    assert scene.found(scene.exported) == [(Wrong.TAIL_CUT_OFF, 18, 3)]


def test_a_cut_tail_that_has_grown_again_is_told(scene: Scene) -> None:
    scene.tamper(
        "DELETE FROM audit_events WHERE cursor > 17", "DELETE FROM audit_heads WHERE number = 3"
    )

    async def grow() -> None:
        async with SqliteRegistry(scene.path) as registry:
            await scene.sealer.fill(registry, 4)

    asyncio.run(grow())
    assert scene.verify().holds
    assert scene.found(scene.exported) == [(Wrong.HEAD_REPLACED, 18, 3)]


def test_history_that_was_written_anew_with_the_platforms_key_is_told(scene: Scene) -> None:
    scene.tamper("UPDATE audit_events SET actor = 'operator bob' WHERE cursor = 9")
    scene.reseal(2)
    assert scene.verify().holds, "it was signed by the platform"
    assert scene.found(scene.exported)[0] == (Wrong.HEAD_REPLACED, 8, 2)


def test_heads_of_another_platform_count_for_nothing(scene: Scene, tmp_path: Path) -> None:
    stranger = Sealer(tmp_path / "stranger")
    scene.sealer, ours = stranger, scene.sealer
    scene.reseal(1)
    scene.sealer = ours
    found = scene.found(scene.exported)
    assert (Wrong.HEAD_UNPROVEN, None, 1) in found
    assert [f for f in found if f[0] is Wrong.TAIL_CUT_OFF]


def test_a_device_of_the_same_root_cannot_sign_heads(scene: Scene) -> None:
    from homeport.artefacts.audit_head import TYP
    from homeport.keys import make_key
    from homeport.pki.authority import build_leaf, server_leaf
    from homeport.pki.certificates import der_of
    from homeport.pki.jws import JwsSigner

    key = make_key(f"file:{scene.path.parent / 'other.key'}")
    start = scene.sealer.certificate.not_valid_before_utc
    leaf = server_leaf(key.public_key(), [scene.sealer.name], start, start.replace(year=2030))
    certificate = build_leaf(leaf, scene.sealer.root.issuer)
    scene.sealer.signer = JwsSigner(key, TYP, [der_of(certificate)])
    scene.reseal(3)
    assert (Wrong.HEAD_UNPROVEN, None, 3) in scene.found()


def test_lines_that_are_no_heads_are_counted_and_do_not_hide_the_others(scene: Scene) -> None:
    report = scene.verify([b"{", scene.exported[0][:500], *scene.exported, b"\xff"])
    assert report.holds
    assert (report.compared, report.unreadable) == (3, 3)


def test_a_trail_that_is_all_wrong_is_counted_and_cut(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)
    path = tmp_path / "registry.sqlite"

    async def work() -> Report:
        async with SqliteRegistry(path) as registry:
            await record(registry, FINDINGS_MAX + 500)
            while await sealer.seal(registry):
                pass
            with closing(sqlite3.connect(path)) as raw, raw:
                raw.execute("UPDATE audit_events SET actor = 'x'")
            return await verify_trail(registry, sealer.verifier)

    report = asyncio.run(work())
    assert (report.count, len(report.findings)) == (FINDINGS_MAX + 500, FINDINGS_MAX)


# --- two who seal, and exports --------------------------------------------------------------------


def test_two_who_seal_at_once_make_one_head(scene: Scene) -> None:
    async def work() -> list[SealedHead | BaseException | None]:
        async with (
            SqliteRegistry(scene.path) as one,
            SqliteRegistry(scene.path) as other,
        ):
            sealings = [scene.sealer.seal(registry) for registry in (one, other, one, other)]
            return await asyncio.gather(*sealings, return_exceptions=True)

    came = asyncio.run(work())
    refused = [each for each in came if isinstance(each, HomeportError)]
    assert all(error.code is Code.ALREADY_EXISTS for error in refused)
    assert sum(isinstance(each, SealedHead) for each in came) == 1
    assert scene.verify().holds
    assert scene.verify().unsealed == 0


def test_an_export_is_verified_without_the_registry(scene: Scene) -> None:
    lines = scene.export()
    report = verify_export((line.encode() for line in lines), scene.sealer.verifier, scene.exported)
    assert report.holds
    assert (report.events, report.heads, report.compared, report.unsealed) == (22, 3, 3, 3)
    kinds = [next(iter(json.loads(line))) for line in lines]
    assert kinds == [*["event"] * 7, "head", *["event"] * 10, "head", *["event"] * 5, "head",
                     *["event"] * 3]  # fmt: skip


def altered(lines: list[str]) -> list[str]:
    return [line.replace('"192.0.2.9"', '"192.0.2.99"') for line in lines]


def without(*numbers: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line for number, line in enumerate(lines, 1) if number not in numbers]


def swapped(lines: list[str]) -> list[str]:
    return [*lines[:9], lines[10], lines[9], *lines[11:]]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (altered, (Wrong.EVENT_ALTERED, 9)),
        (without(10), (Wrong.EVENT_REMOVED, 9)),
        (swapped, (Wrong.EVENTS_UNFIT, 8)),
        (without(19), (Wrong.HEAD_MISSING, 18)),
        (without(*range(19, 29)), (Wrong.TAIL_CUT_OFF, 8)),
    ],
)
def test_an_export_that_was_changed_is_told(
    scene: Scene, change: Callable[[list[str]], list[str]], finding: tuple[Wrong, int]
) -> None:
    lines = [line.encode() for line in change(scene.export())]
    report = verify_export(lines, scene.sealer.verifier, scene.exported)
    assert finding in [(f.wrong, f.cursor) for f in report.findings]


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"event":[]}', b'{"head":1}', b"\xff"])
def test_an_export_that_cannot_be_read_names_the_line(scene: Scene, line: bytes) -> None:
    lines = [*(each.encode() for each in scene.export()[:3]), line]
    with pytest.raises(MalformedError, match="line 4"):
        verify_export(lines, scene.sealer.verifier)


def test_what_a_hostile_hand_left_can_be_exported(scene: Scene) -> None:
    scene.tamper(
        "UPDATE audit_events SET facts = x'ff00', name = 7, at = 'noon' WHERE cursor = 9",
        "UPDATE audit_events SET facts = '[1]', at = x'ff' WHERE cursor = 10",
    )
    lines = [line.encode("utf-8", "surrogatepass") for line in scene.export()]
    report = verify_export(lines, scene.sealer.verifier)
    assert {f.cursor for f in report.findings} == {9, 10}


def test_heads_say_what_they_cover(scene: Scene) -> None:
    heads = [peek_head(jws) for jws in scene.exported]
    assert [(h.first, h.last, h.count) for h in heads] == [(1, 7, 7), (8, 17, 10), (18, 22, 5)]
    assert heads[1].previous == heads[0].head
