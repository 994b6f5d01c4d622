# SPDX-License-Identifier: Apache-2.0
"""Bootstrapping URIs: read, written, refused."""

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from fakes.dpp_sides import known_key
from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.points import write_spki
from homeport.protocols.dpp.uri import BootstrappingUri, Channel, read_uri, write_uri

KEY = known_key(4711).public_key()
K = "K:" + base64.b64encode(write_spki(KEY)).decode()
OCTET = st.integers(1, 255)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";"))
URIS = st.builds(
    BootstrappingUri,
    key=st.just(KEY),
    channels=st.lists(st.builds(Channel, OCTET, OCTET), max_size=8).map(tuple),
    mac=st.none() | st.binary(min_size=6, max_size=6),
    information=PRINTABLE.filter(lambda text: len(text) < 200),
    version=OCTET,
    host=st.sampled_from(["", "192.0.2.1", "[fe80::1]:8908", "device.example"]),
    curves=st.none() | st.integers(0, 0xFFFF),
    unknown=st.lists(
        st.tuples(st.sampled_from(["X", "Y", "ZZ"]), st.sampled_from(["1", "a:b", "c d"]))
    ).map(lambda fields: tuple(fields[:4])),
)


def test_everything_in_one():
    text = f"DPP:C:81/1,115/36;M:5254005828e5;I:SN=4774LH2b4044;V:2;H:192.0.2.1;B:5;X:y;{K};;"
    uri = read_uri(text)
    assert uri.channels == (Channel(81, 1), Channel(115, 36))
    assert uri.mac == bytes.fromhex("5254005828e5")
    assert (uri.information, uri.version, uri.host) == ("SN=4774LH2b4044", 2, "192.0.2.1")
    assert (uri.curves, uri.unknown) == (5, (("X", "y"),))
    assert write_uri(uri) == str(uri) == text


def test_a_class_is_not_repeated_for_each_channel():
    uri = read_uri(f"DPP:C:81/1,6,11,115/36;{K};;")
    assert uri.channels == (Channel(81, 1), Channel(81, 6), Channel(81, 11), Channel(115, 36))


def test_without_a_version_it_is_release_1():
    assert read_uri(f"DPP:{K};;").version == 1


@given(URIS)
def test_what_is_written_is_read(uri):
    again = read_uri(write_uri(uri))
    assert write_uri(again) == write_uri(uri)
    assert (again.channels, again.mac, again.information) == (
        uri.channels,
        uri.mac,
        uri.information,
    )


@given(st.text())
def test_any_text_is_a_uri_or_malformed(text):
    for each in (text, f"DPP:{text};;", f"DPP:{text};{K};;"):
        with suppress(MalformedError):
            read_uri(each)


def spki(curve: ec.EllipticCurve, form: PublicFormat) -> str:
    key = ec.derive_private_key(4712, curve).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, form)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dpp:" + K + ";;",
        f"DPP:{K};",
        f"DPP:{K}",
        "DPP:V:2;;",
        f"DPP:V:2;V:2;{K};;",
        f"DPP:{K};{K};;",
        f"DPP:V:0;{K};;",
        f"DPP:V:256;{K};;",
        f"DPP:V:two;{K};;",
        f"DPP:M:5254;{K};;",
        f"DPP:C:81;{K};;",
        f"DPP:C:81/0;{K};;",
        f"DPP:C:{'81/1,' * 70}81/1;{K};;",
        f"DPP:I:ä;{K};;",
        f"DPP:I:a\nb;{K};;",
        f"DPP:B:xyz;{K};;",
        f"DPP:H:a b;{K};;",
        f"DPP:;{K};;",
        "DPP:K:****;;",
        "DPP:K:ä;;",
        f"DPP:I:{'x' * 1000};{K};;",
        # Not a compressed point on P-256: uncompressed, another curve, off the curve.
        f"DPP:K:{spki(ec.SECP256R1(), PublicFormat.SubjectPublicKeyInfo)};;",
        f"DPP:K:{spki(ec.SECP384R1(), PublicFormat.SubjectPublicKeyInfo)};;",
        "DPP:K:" + base64.b64encode(write_spki(KEY)[:27] + b"\xff" * 32).decode() + ";;",
    ],
)
def test_what_is_refused(text):
    with pytest.raises(MalformedError) as failure:
        read_uri(text)
    assert failure.value.code is Code.DPP_URI_MALFORMED


@pytest.mark.parametrize(
    "fields",
    [
        {"information": "a;b"},
        {"information": "EX-1;H:evil.example;M:001122334455"},
        {"information": "EX-1;X:y"},
        {"host": "a;I:b"},
        {"unknown": (("H", "evil.example"),)},
        {"unknown": (("X:y;H", "evil.example"),)},
        {"unknown": (("X", "y;I:z"),)},
        {"mac": b""},
        {"version": 0},
    ],
)
def test_what_cannot_be_written(fields):
    with pytest.raises(MalformedError) as failure:
        write_uri(BootstrappingUri(key=KEY, **fields))
    assert failure.value.code is Code.DPP_URI_MALFORMED


def test_an_unknown_field_may_be_empty():
    text = f"DPP:V:2;X:;{K};;"
    assert str(read_uri(text)) == text
