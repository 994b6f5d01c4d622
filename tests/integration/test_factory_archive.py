# SPDX-License-Identifier: Apache-2.0
"""The archive survives kill -9 and torn ends; nothing is minted twice and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.factory_line import FactoryLine, line
from homeport.errors import Code, HomeportError
from homeport.factory.archive.file import TORN_MAX_BYTES, create_archive, open_seal, write_archive
from homeport.factory.archive.records import DeviceRecord, Order
from homeport.factory.archive.sealing import DeviceSecrets, Seal
from homeport.keys import Secret

__all__ = ["line"]

MINT = "import sys; from homeport.factory.cli import main; sys.exit(main(sys.argv[1:]))"
COUNT = 4_000


@pytest.fixture
def minting(line) -> Iterator[subprocess.Popen[bytes]]:
    process = start(line)
    yield process
    process.kill()
    process.wait()


def start(line: FactoryLine, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", MINT, "mint", str(line.directory), "--model", "EX-100"]
    return subprocess.Popen(
        [*command, "--count", str(COUNT), *options], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for_growth(process: subprocess.Popen[bytes], archive: Path, octets: int) -> None:
    limit = archive.stat().st_size + octets
    deadline = time.monotonic() + 60
    while archive.stat().st_size < limit and process.poll() is None:
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.mark.faults
def test_killed_again_and_again_it_mints_each_serial_number_once(line):
    archive = line.directory / "archive.jsonl"
    for octets in (1, 400_000, 1_000_000, 1_500_000):
        process = start(line)
        wait_for_growth(process, archive, octets)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # The end may be torn: what was written last is cut in the middle of a record.
        with archive.open("r+b") as file:
            file.truncate(archive.stat().st_size - 7)
    answer = line.run("mint", "--model", "EX-100", "--count", COUNT)
    assert answer["minted"] + answer["already"] == COUNT
    assert answer["already"] > 0
    assert line.serial_numbers() == [f"EX-100-{number:06d}" for number in range(1, COUNT + 1)]
    assert [order["minted"] for order in line.run("show")["orders"]] == [COUNT]
    # Every record is whole: its secrets open.
    for record in line.devices()[::97]:
        assert line.factory.seal.open(record.sealed, record.serial_number).idevid_key


@pytest.mark.faults
def test_two_do_not_mint_at_once(line, minting):
    wait_for_growth(minting, line.directory / "archive.jsonl", 200_000)
    assert minting.poll() is None
    for verb in (("mint", "--model", "EX-100", "--count", 1), ("show",)):
        assert line.refused(*verb)["code"] == "factory-busy"
    minting.kill()
    minting.wait()
    assert line.attempt("show")[0] == 0


def order(number: int = 1, count: int = 3) -> Order:
    return Order(
        id=number, at=0, model="M", hardware_identity="file", count=count, prefix="A", start=1,
        width=3,
    )  # fmt: skip


def device(serial_number: str, number: int = 1, sealed: bytes = b"x") -> DeviceRecord:
    return DeviceRecord(
        order=number, at=0, serial_number=serial_number, model="M", hardware_identity="file",
        idevid=b"i", dpp_key=b"d", claim_code_hash="c", sealed=sealed,
    )  # fmt: skip


@pytest.fixture
def archive(tmp_path) -> Path:
    path: Path = tmp_path / "archive.jsonl"
    create_archive(path, Secret("passphrase"))
    with write_archive(path) as writer:
        writer.begin(order())
        writer.add([device("A001"), device("A002")])
    return path


def test_every_torn_end_is_cut_off_and_nothing_else(archive):
    whole = archive.read_bytes()
    begin = whole.index(b'{"type":"device"')
    ends = [place + 1 for place, octet in enumerate(whole) if octet == 10 and place > begin]
    for length in range(begin, len(whole) + 1):
        archive.write_bytes(whole[:length])
        with write_archive(archive) as writer:
            expected = sum(end <= length for end in ends)
            assert len(writer.order_of) == writer.minted[1] == expected
            writer.add([device("A003")])
        with write_archive(archive) as writer:
            assert writer.torn_bytes == 0
            assert len(writer.order_of) == expected + 1


def test_an_end_full_of_zeros_is_cut_off(archive):
    good = archive.read_bytes()
    archive.write_bytes(good + b'{"type":"dev' + bytes(5_000) + b"\n" + b"rest\n")
    with write_archive(archive) as writer:
        assert writer.torn_bytes == 5_000 + len(b'{"type":"dev\nrest\n')
        assert sorted(writer.order_of) == ["A001", "A002"]
    assert archive.read_bytes() == good


def test_damage_far_from_the_end_is_not_mended_but_reported(archive):
    content = archive.read_bytes()
    with write_archive(archive) as writer:
        writer.begin(order(2, 1))
        writer.add([device("B001", 2, bytes(10_000)) for _ in [0]])
    pad = archive.read_bytes()[len(content) :]
    spoilt = content.replace(b'"A001"', b'"A00\x00"') + pad * (TORN_MAX_BYTES // len(pad) + 1)
    archive.write_bytes(spoilt)
    with pytest.raises(HomeportError) as caught, write_archive(archive):
        pass
    assert caught.value.code is Code.ARCHIVE_DAMAGED
    assert archive.read_bytes() == spoilt


def test_a_serial_number_that_occurs_twice_is_reported(archive):
    content = archive.read_bytes()
    last = content.splitlines(keepends=True)[-1]
    archive.write_bytes(content + last)
    with pytest.raises(HomeportError) as caught, write_archive(archive):
        pass
    assert caught.value.code is Code.ARCHIVE_DAMAGED
    assert "A002" in caught.value.detail


def test_secrets_open_only_with_the_passphrase_and_for_their_device(archive):
    seal = open_seal(archive, Secret("passphrase"))
    secrets = DeviceSecrets(b"key", b"dpp", "CODE")
    sealed = seal.close(secrets, "A001")
    assert seal.open(sealed, "A001") == secrets
    assert seal.close(secrets, "A001") != sealed
    for octets, serial_number in ((sealed, "A002"), (sealed[:-1], "A001"), (b"", "A001")):
        with pytest.raises(HomeportError) as caught:
            seal.open(octets, serial_number)
        assert caught.value.code is Code.ARCHIVE_DAMAGED
    with pytest.raises(HomeportError) as caught:
        open_seal(archive, Secret("another"))
    assert caught.value.code is Code.PASSPHRASE_WRONG
    assert "passphrase" not in repr(Seal(Secret("passphrase"), bytes(16)))


def test_what_is_no_archive_is_not_opened(tmp_path):
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(HomeportError) as caught:
        open_seal(path, Secret("x"))
    assert caught.value.code is Code.ARCHIVE_DAMAGED
