# SPDX-License-Identifier: Apache-2.0
"""The mutation loop that all fuzz tests share: a committed corpus, then damage to it.

The seed is fixed, so a failure in `make test` fails again on the next machine; `FUZZ_RUNS`
raises the number of mutations for a long run, `FUZZ_SEED` varies them.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from homeport.errors import HomeportError

DEFAULT_RUNS: Final = 3_000
"""About a second for a parser that takes 300 µs: short enough for every test run."""

TOKENS: Final = (
    b"\x00", b"\xff", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b'"', b"{", b"}", b"[", b"]", b",",
    b"null", b"true", b"-1", b"1e999", b"\\u0000", b"\xed\xa0\x80", b"=", b"../", b"%00", b"\r\n",
)  # fmt: skip
"""Pieces that break parsers: DER lengths, JSON syntax, lone surrogates, numbers out of range."""


def fuzz(
    target: Callable[[bytes], object],
    corpus_dir: Path,
    allowed: tuple[type[Exception], ...] = (HomeportError,),
    runs: int = DEFAULT_RUNS,
) -> int:
    """Feed `target` each corpus file, then `runs` mutations; return how many inputs it accepted.

    Only `allowed` exceptions may come out. Anything else fails with the input in hexadecimal, to
    be added to the corpus.
    """
    corpus = [path.read_bytes() for path in sorted(corpus_dir.iterdir()) if path.is_file()]
    assert corpus, f"no corpus in {corpus_dir}"
    source = random.Random(int(os.environ.get("FUZZ_SEED", "20261123")))
    accepted = sum(_accepts(target, sample, allowed) for sample in corpus)
    for _ in range(int(os.environ.get("FUZZ_RUNS", runs))):
        accepted += _accepts(target, mutate(source.choice(corpus), source, corpus), allowed)
    return accepted


def mutate(sample: bytes, source: random.Random, corpus: list[bytes]) -> bytes:
    """Damage `sample` one to four times: flip, delete, repeat, insert, splice, truncate."""
    damaged = bytearray(sample)
    for _ in range(source.randint(1, 4)):
        source.choice(_MUTATIONS)(damaged, source)
    if source.random() < 0.1:
        other = source.choice(corpus)
        damaged[source.randint(0, len(damaged)) :] = other[source.randint(0, len(other)) :]
    return bytes(damaged)


def _accepts(
    target: Callable[[bytes], object], sample: bytes, allowed: tuple[type[Exception], ...]
) -> bool:
    try:
        target(sample)
    except allowed:
        return False
    except BaseException as failure:
        message = f"{type(failure).__name__}: {failure}\ninput: {sample.hex()}"
        raise AssertionError(message) from failure
    return True


def _flip(damaged: bytearray, source: random.Random) -> None:
    if damaged:
        damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)


def _replace(damaged: bytearray, source: random.Random) -> None:
    if damaged:
        damaged[source.randrange(len(damaged))] = source.randrange(256)


def _delete(damaged: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(damaged))
    del damaged[start : start + source.randint(1, 16)]


def _repeat(damaged: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(damaged))
    piece = damaged[start : start + source.randint(1, 64)]
    damaged[start:start] = piece * source.randint(1, 8)


def _insert(damaged: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(damaged))
    damaged[start:start] = source.choice(TOKENS)


def _truncate(damaged: bytearray, source: random.Random) -> None:
    del damaged[source.randint(0, len(damaged)) :]


_MUTATIONS: Final = (_flip, _flip, _replace, _replace, _delete, _repeat, _insert, _truncate)
