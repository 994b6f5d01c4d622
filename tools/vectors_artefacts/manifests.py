# SPDX-License-Identifier: Apache-2.0
"""Manifests: a good one, and what damage and fraud make of it."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from homeport.artefacts.manifest import ManifestHeader, ManifestLine, ManifestWriter
from homeport.artefacts.signers import VOUCHER_SIGNER
from homeport.pki import base64url
from tools.vectors_artefacts.works import Signer, Works

MALFORMED: Final = "manifest-malformed"
UNPROVEN: Final = "manifest-unproven"
DEVICES: Final = 3
TRAILER: Final = DEVICES + 2
"""Line of the trailer."""


@dataclass(frozen=True)
class Case:
    """A manifest, and at which line it is refused."""

    name: str
    about: str
    content: bytes
    code: str | None = None
    line: int = 0


def cases(works: Works) -> Iterator[Case]:
    """Yield every case."""
    lines = [works.line(number) for number in range(1, DEVICES + 1)]
    good = works.manifest(lines)
    yield Case("good", "Three devices.", good)
    yield Case("good-empty", "No device at all.", works.manifest([]))
    yield from _cut(good)
    yield from _moved(good, works)
    yield from _signed_by_others(works, lines)
    yield from _untrue(works, lines)


def _cut(good: bytes) -> Iterator[Case]:
    split = good.splitlines(keepends=True)
    yield Case("empty", "Nothing.", b"", MALFORMED, 1)
    yield Case("no-trailer", "The last line is missing.", b"".join(split[:-1]), MALFORMED, TRAILER)
    yield Case(
        "half-line", "Ends within a device.", b"".join(split[:2]) + split[2][:99], MALFORMED, 3
    )
    yield Case("half-trailer", "Ends within the trailer.", good[:-99], MALFORMED, TRAILER)
    yield Case("only-newline-lost", "Its last newline is missing.", good[:-1], MALFORMED, TRAILER)
    after = "There is something after the trailer."
    yield Case("after-trailer", after, good + b"\n", MALFORMED, TRAILER + 1)
    long = split[0] + b'{"serial_number":"' + b"A" * 70_000 + b'"}\n'
    yield Case("too-long", "A line of 70 kB.", long, MALFORMED, 2)


def _moved(good: bytes, works: Works) -> Iterator[Case]:
    split = good.splitlines(keepends=True)
    altered = good.replace(b"EX-000002", b"EX-000009", 1)
    yield Case("altered", "A serial number was changed.", altered, MALFORMED, 3)
    mark = split[2].replace(b'"h":"' + split[2][-15:-3], b'"h":"' + b"A" * 12)
    spoilt = b"".join([*split[:2], mark, *split[3:]])
    yield Case("mark-altered", "A line's mark was changed.", spoilt, MALFORMED, 3)
    without = b"".join([*split[:2], *split[3:]])
    yield Case("line-removed", "A device was taken out.", without, MALFORMED, 3)
    twice = b"".join([*split[:3], *split[2:]])
    yield Case("line-doubled", "A device was put in twice.", twice, MALFORMED, 4)
    swapped = b"".join([split[0], split[2], split[1], *split[3:]])
    yield Case("lines-swapped", "Two devices changed places.", swapped, MALFORMED, 2)
    other = works.manifest([works.line(7)]).splitlines(keepends=True)
    mixed = b"".join([*split[:-1], other[-1]])
    yield Case("other-trailer", "The trailer of another manifest.", mixed, UNPROVEN, TRAILER)
    # Whoever alters a line can mend the marks, which anybody can compute; but not the signature.
    remade = _remade(split)
    yield Case("altered-and-marked", "Altered, with marks made anew.", remade, UNPROVEN, TRAILER)


def _remade(split: list[bytes]) -> bytes:
    header = msgspec.json.decode(split[0])
    stream = io.BytesIO()
    header.pop("h")
    writer = ManifestWriter(stream, ManifestHeader(**header))
    for line in split[1:-1]:
        device = msgspec.json.decode(line, type=ManifestLine)
        writer.add(msgspec.structs.replace(device, model="EX-900", h=""))
    return stream.getvalue() + split[-1]


def _signed_by_others(works: Works, lines: Sequence[ManifestLine]) -> Iterator[Case]:
    device = works.device_signer(1)
    yield Case(
        "signed-by-device", "Signed with a device's identity.",
        works.manifest(lines, signer=device), UNPROVEN, TRAILER,
    )  # fmt: skip
    yield Case(
        "signed-for-vouchers", "Signed by a signer of vouchers under the anchor for IDevIDs.",
        works.manifest(lines, signer=works.signer(VOUCHER_SIGNER)), UNPROVEN, TRAILER,
    )  # fmt: skip
    yield Case(
        "foreign-signer", "Signed by another manufacturer.",
        works.manifest(lines, signer=Works().manifest_signer), UNPROVEN, TRAILER,
    )  # fmt: skip
    own = works.manifest_signer
    alone = Signer(own.key, own.certificate, own.x5c[:1])
    yield Case(
        "no-intermediate", "The signer's issuer is missing in x5c.",
        works.manifest(lines, signer=alone), UNPROVEN, TRAILER,
    )  # fmt: skip
    for name, changed in (("none", {"alg": "none"}), ("other-type", {"typ": "voucher-jws+json"})):
        yield Case(
            f"trailer-{name}", "The trailer's protected header was changed.",
            _with_header(works.manifest(lines), changed), UNPROVEN, TRAILER,
        )  # fmt: skip


def _with_header(manifest: bytes, changed: dict[str, str]) -> bytes:
    *before, trailer = manifest.splitlines(keepends=True)
    signed = json.loads(trailer)["trailer"]
    header = json.loads(base64url.decode(signed["protected"])) | changed
    signed["protected"] = base64url.encode(json.dumps(header).encode()).decode()
    return b"".join(before) + b'{"trailer":' + json.dumps(signed).encode() + b"}\n"


def _untrue(works: Works, lines: Sequence[ManifestLine]) -> Iterator[Case]:
    replace = msgspec.structs.replace
    foreign = replace(works.header(), authority="a" * 16)
    yield Case(
        "other-authority", "It names another authority than the anchor.",
        works.manifest(lines, header=foreign), UNPROVEN, 1,
    )  # fmt: skip
    borrowed = [lines[0], replace(lines[1], idevid=lines[2].idevid)]
    yield Case(
        "borrowed-idevid", "A device with the identity of another.", works.manifest(borrowed),
        UNPROVEN, 3,
    )  # fmt: skip
    garbage = [lines[0], replace(lines[1], idevid=b"\x30\x00")]
    yield Case("no-idevid", "An identity that is none.", works.manifest(garbage), MALFORMED, 3)
    hashed = [lines[0], replace(lines[1], dpp_key_hash="0" * 64)]
    yield Case(
        "dpp-hash", "The hash of a DPP key is not that of the key.", works.manifest(hashed),
        MALFORMED, 3,
    )  # fmt: skip
