# SPDX-License-Identifier: Apache-2.0
"""Labels and claim codes: printed, read, proven; a sticker that lies is found out."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from homeport.artefacts.claim_code import (
    hash_claim_code,
    make_claim_code,
    parse_claim_code,
    show_claim_code,
)
from homeport.artefacts.dpp_key import compressed_point, dpp_spki, point_of_spki
from homeport.artefacts.label import Label, parse_label, sign_label, verify_label
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import FileKey
from tools.vectors_artefacts.works import Works, memory_key

VECTORS = Path(__file__).parents[2] / "vectors" / "label"
CASES = sorted(path.stem for path in VECTORS.glob("*.json"))
SIGNER = memory_key()
NAMES = st.text(min_size=1, max_size=64).filter(str.isprintable)


def signed(serial_number: str = "EX-000017", model: str = "EX-100") -> Label:
    code = make_claim_code()
    point = compressed_point(ec.generate_private_key(ec.SECP256R1()).public_key())
    unsigned = Label(
        page="https://label.example/",
        serial_number=serial_number,
        model=model,
        claim_code=code,
        claim_code_hash=hash_claim_code(code),
        dpp_point=point,
        idevid_hash=bytes(32),
        signature=b"",
    )
    return sign_label(unsigned, SIGNER)


@pytest.mark.parametrize("name", CASES)
def test_vector(name):
    vector = json.loads((VECTORS / f"{name}.json").read_text())
    verdict = vector["expected"]["verdict"]
    if verdict == "malformed":
        with pytest.raises(MalformedError):
            parse_label(vector["label"])
        return
    label = parse_label(vector["label"])
    signer = load_der_public_key(base64.b64decode(vector["signer"]))
    assert isinstance(signer, ec.EllipticCurvePublicKey)
    if verdict == "proven":
        verify_label(label, signer)
    else:
        with pytest.raises(HomeportError) as caught:
            verify_label(label, signer)
        assert caught.value.code is Code.SIGNATURE_WRONG


@given(NAMES, NAMES)
def test_what_was_printed_is_read(serial_number, model):
    label = signed(serial_number, model)
    assert parse_label(label.encode()) == label
    verify_label(parse_label(label.encode()), SIGNER.public_key())


def test_the_nfc_form_has_no_claim_code_but_can_be_proven():
    label = signed()
    text = label.without_claim_code().encode()
    assert label.claim_code
    assert label.claim_code not in text
    read = parse_label(text)
    assert read.claim_code is None
    assert read.claim_code_hash == label.claim_code_hash
    verify_label(read, SIGNER.public_key())


def test_everything_secret_stands_in_the_fragment():
    page, _, fragment = signed().encode().partition("#")
    assert page == "https://label.example/"
    assert "c=" in fragment


def test_the_dpp_uri_holds_the_compressed_key():
    label = signed()
    version, key, *end = label.dpp_uri.removeprefix("DPP:").split(";")
    assert (version, end) == ("V:2", ["", ""])
    spki = base64.b64decode(key.removeprefix("K:"))
    assert spki == dpp_spki(label.dpp_point)
    public_key = load_der_public_key(spki)
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert compressed_point(public_key) == label.dpp_point
    assert point_of_spki(spki) == label.dpp_point


@pytest.mark.parametrize("spki", [b"", dpp_spki(bytes(32)), bytes(59)])
def test_other_keys_are_no_dpp_keys(spki):
    with pytest.raises(MalformedError):
        point_of_spki(spki)


def test_only_a_p256_key_proves_a_label():
    other = FileKey("file:/memory", ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(HomeportError) as caught:
        verify_label(signed(), other.public_key())
    assert caught.value.code is Code.SIGNATURE_WRONG


def test_a_signature_for_a_manifest_is_none_for_a_label():
    works = Works()
    assert b"homeport label 1" in works.label(1).signed_octets()


@given(st.text(max_size=400))
def test_any_text_is_a_label_or_malformed(text):
    for candidate in (text, f"https://label.example/#1&{text}"):
        with pytest.raises(MalformedError):
            parse_label(candidate)


def test_claim_codes_have_100_bits_and_no_misread_letters():
    codes = {make_claim_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 20 and not set("ILOU") & set(code) for code in codes)
    # Every place takes many values: none of them is constant.
    assert all(len({code[place] for code in codes}) > 16 for place in range(20))


def test_a_claim_code_is_read_as_people_type_it():
    code = "01ABCDEFGHJKMNPQRSTV"
    assert show_claim_code(code) == "01ABC-DEFGH-JKMNP-QRSTV"
    assert parse_claim_code(" ol abc defgh-jkmnp-qrstv") == code
    assert parse_claim_code(show_claim_code(code).lower()) == code


@pytest.mark.parametrize(
    "text", ["", "01ABC", "U1ABCDEFGHJKMNPQRSTV", "01ABCDEFGHJKMNPQRSTVW", "ß" * 20]
)
def test_other_texts_are_no_claim_codes(text):
    with pytest.raises(MalformedError) as caught:
        parse_claim_code(text)
    assert text not in caught.value.detail or not text
