# SPDX-License-Identifier: Apache-2.0
"""Vouchers: one vector for every way to be refused, and the rules of time and epoch."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.artefacts.voucher import (
    ProvenVoucher,
    Voucher,
    idevid_issuer_of,
    issue_voucher,
    read_voucher,
    verify_voucher,
)
from homeport.errors import Code, HomeportError, MalformedError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import der_of, parse_certificate
from tools.vectors_artefacts.works import BEGIN, Works

VECTORS = Path(__file__).parents[2] / "vectors" / "voucher"
CASES = sorted(path.stem for path in VECTORS.glob("*.json"))
WORKS = Works()
ANCHORS = Anchors(Purpose.VOUCHER, [WORKS.voucher_root])
OWNER = Works().root
NOW = BEGIN + timedelta(hours=1)


def issue(**changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "serial_number": "EX-000001",
        "pinned_domain_cert": der_of(OWNER),
        "epoch": 3,
        "created_on": BEGIN,
    } | changes
    signer = WORKS.voucher_signer
    return issue_voucher(Voucher(**facts), signer.key, signer.x5c)


def verify(voucher: bytes, **changes: Any) -> ProvenVoucher:
    facts: dict[str, Any] = {
        "anchors": ANCHORS,
        "serial_number": "EX-000001",
        "epoch_floor": 0,
        "now": NOW,
    } | changes
    return verify_voucher(voucher, **facts)


def time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def octets(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


@pytest.mark.parametrize("name", CASES)
def test_vector(name):
    vector = json.loads((VECTORS / f"{name}.json").read_text())
    device, expected = vector["device"], vector["expected"]
    anchors = [parse_certificate(b64decode(each)) for each in device["anchors"]]
    facts: dict[str, Any] = {
        "anchors": Anchors(Purpose(device["anchors_for"]), anchors),
        "serial_number": device["serial_number"],
        "idevid_issuer": octets(device["idevid_issuer"]),
        "epoch_floor": device["epoch_floor"],
        "nonce": octets(device["nonce"]),
        "now": time(device["now"]),
        "floor": time(device["floor"]),
    }
    if expected["verdict"] == "accepted":
        assert verify_voucher(vector["voucher"].encode(), **facts).epoch == expected["epoch"]
        return
    with pytest.raises(HomeportError) as caught:
        verify_voucher(vector["voucher"].encode(), **facts)
    assert caught.value.code == expected["code"]
    assert expected["reason"].lower() in caught.value.detail.lower()


def test_what_was_issued_is_proven():
    proven = verify(issue(expires_on=NOW + timedelta(days=1)))
    assert (proven.serial_number, proven.epoch) == ("EX-000001", 3)
    assert proven.pinned_domain_cert == OWNER
    assert proven.expires_on == NOW + timedelta(days=1)


def test_the_epoch_may_stay_and_rise_but_not_fall():
    voucher = issue(epoch=3)
    assert verify(voucher, epoch_floor=3).epoch == 3
    assert verify(voucher, epoch_floor=2).epoch == 3
    with pytest.raises(HomeportError) as caught:
        verify(voucher, epoch_floor=4)
    assert caught.value.code is Code.EPOCH_STALE


def test_a_voucher_that_names_an_issuer_is_for_no_device_whose_issuer_is_unknown():
    """Another maker's device may have the same number, and an IDevID without key identifier."""
    voucher = issue(idevid_issuer=b"\x04\x00", expires_on=NOW + timedelta(days=1))
    with pytest.raises(HomeportError, match="another manufacturer's"):
        verify(voucher, idevid_issuer=None)


def test_a_time_that_has_passed_ends_a_voucher_even_if_the_clock_is_behind():
    voucher = issue(expires_on=NOW)
    with pytest.raises(HomeportError, match="expired"):
        verify(voucher, now=NOW - timedelta(minutes=1), floor=NOW + timedelta(seconds=1))


def test_a_voucher_is_an_unproven_statement_until_verified():
    nonce = bytes(range(8))
    said = read_voucher(issue(nonce=nonce, idevid_issuer=b"\x04\x00"))
    assert said == Voucher(
        serial_number="EX-000001",
        pinned_domain_cert=der_of(OWNER),
        epoch=3,
        created_on=BEGIN,
        nonce=nonce,
        idevid_issuer=b"\x04\x00",
    )


@pytest.mark.parametrize("nonce", [b"", bytes(7), bytes(33)])
def test_a_nonce_has_8_to_32_bytes(nonce):
    with pytest.raises(MalformedError):
        issue(nonce=nonce)


def test_a_nonce_and_an_end_exclude_each_other():
    with pytest.raises(MalformedError):
        issue(nonce=bytes(8), expires_on=NOW)


def test_idevid_issuer_is_the_octet_string_of_the_key_identifier():
    idevid = parse_certificate(WORKS.line(1).idevid)
    value = idevid_issuer_of(idevid)
    assert value is not None
    # OCTET STRING { SEQUENCE { [0] keyIdentifier } }, RFC 8366 section 5.3.
    assert value[:6] == bytes.fromhex("041830168014")
    assert value in der_of(idevid)
    assert idevid_issuer_of(WORKS.root) is None


def test_it_travels_with_time_zone_and_whole_seconds():
    local = datetime(2026, 11, 23, 1, 2, 3, 999, tzinfo=UTC)
    assert read_voucher(issue(created_on=local)).created_on == local.replace(microsecond=0)


@given(st.binary(max_size=300))
def test_any_octets_are_a_voucher_or_refused(data):
    with pytest.raises(MalformedError):
        read_voucher(data)
    with pytest.raises(HomeportError) as caught:
        verify(data)
    assert caught.value.code is Code.VOUCHER_UNPROVEN
