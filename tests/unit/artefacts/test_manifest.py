# SPDX-License-Identifier: Apache-2.0
"""The hand-over manifest: what was written is read; cut, altered or foreign it never is."""

import hashlib
import io
import json
import random
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.artefacts.manifest import ManifestLine, ManifestReader, ManifestWriter
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import load_bundle
from tools.vectors_artefacts.works import Works

VECTORS = Path(__file__).parents[2] / "vectors" / "manifest"
ANCHOR = load_bundle((VECTORS / "anchor.pem").read_bytes())[0]
CASES = sorted(path.stem for path in VECTORS.glob("*.json"))
REFUSED = {Code.MANIFEST_MALFORMED, Code.MANIFEST_UNPROVEN}


def read(content: bytes, anchor=ANCHOR) -> list[ManifestLine]:
    return list(ManifestReader(io.BytesIO(content), anchor))


def refusal(content: bytes, anchor=ANCHOR) -> HomeportError:
    with pytest.raises(HomeportError) as caught:
        read(content, anchor)
    assert caught.value.code in REFUSED
    return caught.value


@pytest.fixture(scope="module")
def works() -> Works:
    return Works()


@pytest.fixture(scope="module")
def lines(works) -> list[ManifestLine]:
    return [works.line(number) for number in range(1, 6)]


@pytest.fixture(scope="module")
def good() -> bytes:
    return (VECTORS / "good.jsonl").read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_vector(name):
    expected = json.loads((VECTORS / f"{name}.json").read_text())["expected"]
    content = (VECTORS / f"{name}.jsonl").read_bytes()
    if expected["verdict"] == "accepted":
        read(content)
        return
    error = refusal(content)
    assert (error.code, error.detail.split(":")[0]) == (
        expected["code"],
        f"line {expected['line']}",
    )


def test_vectors_show_both_verdicts():
    verdicts = {
        json.loads(path.read_text())["expected"]["verdict"] for path in VECTORS.glob("*.json")
    }
    assert verdicts == {"accepted", "refused"}


def test_what_was_written_is_read(works, lines):
    reader = ManifestReader(io.BytesIO(works.manifest(lines)), works.root)
    assert msgspec.structs.replace(reader.header, h="") == works.header()
    devices = [msgspec.structs.replace(device, h="") for device in reader]
    assert devices == lines
    assert devices[0].idevid_fingerprint == hashlib.sha256(lines[0].idevid).hexdigest()


def test_a_device_may_lack_dpp_key_and_claim_code(works, lines):
    bare = msgspec.structs.replace(lines[0], dpp_key=None, dpp_key_hash=None, claim_code_hash=None)
    [device] = read(works.manifest([bare]), works.root)
    assert (device.dpp_key, device.dpp_key_hash, device.claim_code_hash) == (None, None, None)


def test_cut_at_every_line_it_is_refused_with_the_line(good):
    split = good.splitlines(keepends=True)
    for whole in range(len(split)):
        error = refusal(b"".join(split[:whole]))
        assert error.code is Code.MANIFEST_MALFORMED
        assert error.detail.startswith(f"line {whole + 1}: the file ends after line {whole} ")


def test_cut_within_every_line_it_is_refused_with_the_line(good):
    split = good.splitlines(keepends=True)
    for number, line in enumerate(split, 1):
        for length in (1, len(line) // 2, len(line) - 1):
            error = refusal(b"".join(split[: number - 1]) + line[:length])
            assert error.detail == f"line {number}: the file ends in the middle of this line"


@given(st.data())
def test_no_single_octet_can_be_changed(data):
    content = bytearray((VECTORS / "good.jsonl").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    content[place] = octet
    refusal(bytes(content))


def test_damage_is_found_at_its_first_line(good):
    split, source = good.splitlines(keepends=True), random.Random(7)
    for number, line in enumerate(split[:-1], 1):
        for _ in range(20):
            damaged = bytearray(line)
            damaged[source.randrange(len(line) - 1)] ^= 1 << source.randrange(7)
            if b"\n" in damaged[:-1] or bytes(damaged) == line:
                continue
            error = refusal(b"".join([*split[: number - 1], damaged, *split[number:]]))
            assert error.detail.startswith(f"line {number}:")


def test_another_manufacturers_anchor_does_not_open_it(good, works):
    error = refusal(good, works.root)
    assert error.code is Code.MANIFEST_UNPROVEN
    assert error.detail.startswith("line 1:")


def test_the_marks_are_digests_that_anybody_can_compute(good):
    line = good.splitlines(keepends=True)[1]
    before = good[: good.index(line) + line.index(b',"h":"')]
    mark = msgspec.json.decode(line)["h"]
    expected = hashlib.sha256(before).digest()[:9]
    assert (
        msgspec.json.decode(f'"{mark.replace("-", "+").replace("_", "/")}"', type=bytes) == expected
    )


class Endless(io.RawIOBase):
    """A manifest of many lines that is never whole in memory: it is written while it is read."""

    def __init__(self, works: Works, line: ManifestLine, count: int) -> None:
        self._works, self._line, self._left = works, line, count
        self._pending = io.BytesIO()
        self._writer = ManifestWriter(self._pending, works.header())

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not (chunk := self._pending.getvalue()) and self._left >= 0:
            self._fill()
        taken = chunk[: len(buffer)]
        buffer[: len(taken)] = taken
        self._pending.seek(0)
        self._pending.truncate()
        self._pending.write(chunk[len(taken) :])
        return len(taken)

    def _fill(self) -> None:
        self._left -= 1
        if self._left >= 0:
            self._writer.add(self._line)
            return
        signer = self._works.manifest_signer
        self._writer.finish(signer.key, signer.x5c)


def test_memory_does_not_grow_with_the_number_of_devices(works, lines):
    count = 30_000
    stream = io.BufferedReader(Endless(works, lines[0], count), 65_536)
    reader, seen, peak = ManifestReader(stream, works.root), 0, 0
    for _ in reader:
        seen += 1
        if seen == 100:
            tracemalloc.start()
        elif seen == count:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert seen == count
    assert 0 < peak < 512 * 1024
