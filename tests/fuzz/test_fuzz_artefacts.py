# SPDX-License-Identifier: Apache-2.0
"""Damaged manifests, labels and vouchers: read, or refused with a code; nothing else."""

import io
import json
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

from fuzz.mutate import fuzz
from homeport.artefacts.claim_code import parse_claim_code
from homeport.artefacts.label import parse_label
from homeport.artefacts.manifest import ManifestReader
from homeport.artefacts.voucher import read_voucher, verify_voucher
from homeport.clock import SystemClock
from homeport.errors import HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import load_bundle, parse_certificate

CORPUS = Path(__file__).parent / "corpus"
VECTORS = Path(__file__).parents[1] / "vectors"
ANCHOR = load_bundle((VECTORS / "manifest" / "anchor.pem").read_bytes())[0]
DEVICE = json.loads((VECTORS / "voucher" / "good.json").read_text())["device"]
VOUCHERS = Anchors(Purpose.VOUCHER, [parse_certificate(b64decode(DEVICE["anchors"][0]))])


def test_fuzz_manifest():
    good = (CORPUS / "manifest" / "good.jsonl").read_bytes()

    def target(data: bytes) -> None:
        for _ in ManifestReader(io.BytesIO(data), ANCHOR):
            pass
        # What is whole is accepted; of what is damaged, nothing.
        assert data == good

    assert fuzz(target, CORPUS / "manifest") >= 1


def test_fuzz_label():
    def target(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        with suppress(HomeportError):
            parse_claim_code(text)
        assert parse_label(text).encode() == text

    assert fuzz(target, CORPUS / "label") >= 2


def test_fuzz_voucher():
    now = SystemClock().now()

    def target(data: bytes) -> None:
        with suppress(HomeportError):
            verify_voucher(
                data,
                anchors=VOUCHERS,
                serial_number=DEVICE["serial_number"],
                epoch_floor=0,
                now=now,
            )
        read_voucher(data)

    assert fuzz(target, CORPUS / "voucher") >= 4
