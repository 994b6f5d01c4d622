# SPDX-License-Identifier: Apache-2.0
"""A TLS certificate of the operator's, and the anchors that devices are told with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from homeport.errors import Code, HomeportError
from homeport.keys import make_key
from homeport.pki.authority import Issuer, build_leaf, build_root, server_leaf
from homeport.pki.certificates import load_bundle, pem_of
from homeport.server.certificates.places import KeyPlaces
from homeport.server.certificates.platform_keys import open_platform_keys
from homeport.server.certificates.tls import TlsFiles

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "platform.example"


def make_root(directory, name):
    key = make_key(f"file:{directory / name}.key")
    root = build_root(key, name, NOW - timedelta(days=900), 20)
    path = directory / f"{name}.pem"
    path.write_bytes(pem_of(root))
    return path, Issuer(root, key)


@pytest.fixture
def places(tmp_path):
    anchors, issuer = make_root(tmp_path, "public")
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = server_leaf(key.public_key(), [NAME], NOW, NOW + timedelta(days=90))
    files = TlsFiles(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    files.certificate.write_bytes(pem_of(build_leaf(leaf, issuer)))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return KeyPlaces(directory=tmp_path / "keys", names=(NAME,), tls=files, tls_anchors=anchors)


@pytest.mark.parametrize("named", ["none", "another"])
def test_a_certificate_that_devices_would_not_believe_is_refused(places, tmp_path, named):
    """They keep the anchors of the first answer, and would never come back for the second."""
    anchors = make_root(tmp_path, "other")[0] if named == "another" else None
    with pytest.raises(HomeportError) as caught:
        open_platform_keys(replace(places, tls_anchors=anchors), NOW)
    assert caught.value.code is Code.TLS_FILES_WRONG
    assert "tls.anchors" in caught.value.detail


def test_a_certificate_under_the_named_root_is_taken(places):
    assert open_platform_keys(places, NOW).server.issuer.rfc4514_string() == "CN=public"


def test_an_anchor_may_be_the_certificate_itself(places):
    assert places.tls
    pinned = replace(places, tls_anchors=places.tls.certificate)
    assert (
        open_platform_keys(pinned, NOW).server
        == load_bundle(places.tls.certificate.read_bytes())[0]
    )
