# SPDX-License-Identifier: Apache-2.0
"""What factories hand over, at the people's door."""

import pytest

from fakes.people_door import OPERATOR, document
from homeport.api.server import gate
from unit.api.samples.factories import ANCHOR, MANIFEST, VECTORS, VOUCHER, edge

TRUST = {"name": "Works “Süd”", "anchor": ANCHOR.decode()}
MANIFESTS = "/manifests"


@pytest.fixture
def works(door):
    """A door that trusts the maker."""
    assert door.ask("POST", "/authorities", said=TRUST).status == 201
    return door


def pieces(content, size=100):
    return (content[start : start + size] for start in range(0, len(content), size))


def test_an_authority_is_trusted_once_and_listed(works):
    again = works.ask("POST", "/authorities", said=TRUST)
    assert document(again)["code"] == "already-exists"
    [known] = document(works.ask("GET", "/authorities"))["items"]
    assert known["name"] == TRUST["name"]
    assert len(known["fingerprint"]) == 64


@pytest.mark.parametrize("anchor", ["", "-----BEGIN CERTIFICATE-----", "x" * 16_000])
def test_what_is_no_certificate_is_not_trusted(door, anchor):
    answer = door.ask("POST", "/authorities", said={"name": "Works", "anchor": anchor})
    assert (answer.status, document(answer)["code"]) == (400, "certificate-malformed")


def test_a_manifest_registers_its_devices_in_whatever_pieces_it_comes(works):
    first = works.ask("POST", MANIFESTS, body=pieces(MANIFEST))
    assert (document(first)["devices"], document(first)["new"]) == (3, 3)
    again = works.ask("POST", MANIFESTS, body=MANIFEST)
    assert (document(again)["devices"], document(again)["new"]) == (3, 0)
    listed = document(works.ask("GET", "/devices", query={"minted": "true"}))["items"]
    assert len(listed) == 3


def test_a_manifest_of_nobody_known_is_refused(door):
    answer = door.ask("POST", MANIFESTS, body=MANIFEST)
    assert (answer.status, document(answer)["code"]) == (422, "manifest-unproven")


@pytest.mark.parametrize("name", ["altered", "foreign-signer", "no-trailer", "half-line"])
def test_a_damaged_manifest_registers_nothing(works, name):
    body = (VECTORS / f"manifest/{name}.jsonl").read_bytes()
    answer = works.ask("POST", MANIFESTS, body=body)
    assert document(answer)["code"].startswith("manifest-")
    assert "line" in document(answer)["detail"]
    assert document(works.ask("GET", "/devices"))["items"] == []


@pytest.mark.parametrize("body", [b"", b"\0", b"x" * 1000])
def test_what_is_no_manifest_is_refused(works, body):
    assert works.ask("POST", MANIFESTS, body=body).status in (400, 422)


def test_a_file_may_be_larger_than_a_document_but_has_a_limit(works, monkeypatch):
    monkeypatch.setattr(gate, "UPLOAD_MAX", gate.DOCUMENT_MAX * 2)
    line = b"x" * 1000
    assert works.ask("POST", MANIFESTS, body=[line] * 300).status == 422
    answer = works.ask("POST", MANIFESTS, body=[line] * 600)
    assert (answer.status, document(answer)["code"]) == (413, "too-large")


def test_a_voucher_is_filed_for_its_device(door):
    door.runner.run(door.registry.transact(edge))
    answer = door.ask("POST", "/vouchers", body=VOUCHER)
    assert answer.status == 200
    filed = document(answer)
    assert (filed["serial_number"], filed["upstream"]) == ("EX-000017", "edge")


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", VOUCHER[:-10]])
def test_what_is_no_voucher_is_refused(door, body):
    assert door.ask("POST", "/vouchers", OPERATOR, body=body).status == 400
