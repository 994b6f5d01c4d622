# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""Requests to refuse for who signed them."""

import datetime as dt
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from homeport.errors import Code
from tools.vectors_native.draft import ABSENT, base64
from tools.vectors_native.identities import (
    DOMAIN_SIGNER,
    SERVER_AUTH,
    Authority,
    Form,
    Identity,
    common_name,
    der,
    device_name,
    intermediate,
    leaf,
    p256,
    root,
    rsa_key,
)
from tools.vectors_native.recipe import Recipes
from tools.vectors_native.scene import Scene

BAD = Recipes()


def _as_authority(device: Identity) -> Authority:
    assert isinstance(device.key, ec.EllipticCurvePrivateKey)
    return Authority(device.key, x509.load_der_x509_certificate(device.chain[0]), device.chain)


@BAD.refused(Code.ISSUER_UNKNOWN, "3.3")
def foreign_root(scene: Scene) -> bytes:
    """The chain holds, but leads to a root that nobody here knows."""
    issuer = intermediate(root("Somebody Else's Root"), "Somebody Else's Issuer")
    return scene.enrol(leaf(issuer, device_name(scene.maker.next_number()))).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def foreign_root_of_the_same_name(scene: Scene) -> bytes:
    """A forger's root carries the name of a trusted one."""
    issuer = intermediate(root("Example Devices Root"), "Example Devices IDevID Issuer 1")
    return scene.enrol(leaf(issuer, device_name(scene.maker.next_number()))).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def leaf_forged_below_a_good_issuer(scene: Scene) -> bytes:
    """The intermediates are the maker's own; the leaf only says that they issued it."""
    forger = replace(scene.maker.issuer, key=p256())
    return scene.enrol(leaf(forger, device_name(scene.maker.next_number()))).body()


@BAD.refused(Code.ISSUER_UNKNOWN, "3.1")
def intermediates_missing(scene: Scene) -> bytes:
    """X5c holds the leaf alone, though an intermediate issued it."""
    device = scene.maker.device()
    return scene.enrol(replace(device, chain=device.chain[:1])).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def issuer_had_expired(scene: Scene) -> bytes:
    """The issuer had expired before the IDevID was made: a stolen old key."""
    made = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
    device = scene.maker.device(scene.maker.expired_issuer, form=Form(not_before=made))
    return scene.enrol(device).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def idevid_is_a_ca(scene: Scene) -> bytes:
    """The IDevID is a CA certificate."""
    return scene.enrol(scene.maker.device(form=Form(is_ca=True))).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def idevid_below_a_device(scene: Scene) -> bytes:
    """A device uses its own IDevID to issue another device's."""
    made = leaf(_as_authority(scene.maker.device()), device_name(scene.maker.next_number()))
    return scene.enrol(made).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def idevid_of_a_platform(scene: Scene) -> bytes:
    """A domain certificate, even below the maker's root, is no device's identity."""
    form = Form(usages=(DOMAIN_SIGNER,))
    return scene.enrol(scene.maker.device(form=form)).body()


@BAD.refused(Code.ISSUER_UNKNOWN, "1")
def idevid_is_a_tls_certificate(scene: Scene) -> bytes:
    """The platform's own TLS certificate: its root is trusted for platforms, not for devices."""
    signer = replace(scene.platform.service(SERVER_AUTH), serial_number="EX-000001")
    return scene.enrol(signer).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.3")
def tls_certificate_of_the_maker(scene: Scene) -> bytes:
    """The maker's root issued a certificate for its web site; that has no serial number."""
    form = Form(usages=(SERVER_AUTH,), names=(x509.DNSName("maker.example"),))
    signer = leaf(scene.maker.root, common_name("maker.example"), None, form)
    return scene.enrol(replace(signer, serial_number="EX-000001")).body()


@BAD.refused(Code.ISSUER_UNKNOWN, "5")
def ldevid_at_enrolment(scene: Scene) -> bytes:
    """The operational identity tries to enrol: it could so outlive a reset."""
    return scene.enrol(scene.ldevid).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "5", kind="renew")
def idevid_at_renewal(scene: Scene) -> bytes:
    """The IDevID tries to renew: a second key would come in without a decision."""
    return scene.renew(scene.device, key=p256()).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "5", kind="renew")
def ldevid_of_another_platform(scene: Scene) -> bytes:
    """The LDevID was issued by another platform whose CAs have the same names."""
    other = type(scene.platform)(scene.platform.name)
    return scene.renew(other.ldevid("a" * 16 + "-EX-000017", "EX-000017")).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "5", kind="renew")
def tls_certificate_at_renewal(scene: Scene) -> bytes:
    """A platform's TLS certificate tries to become a device's."""
    other = type(scene.platform)(scene.platform.name)
    return scene.renew(replace(other.service(SERVER_AUTH), serial_number="EX-000017")).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.3")
def serial_number_missing(scene: Scene) -> bytes:
    """The IDevID's subject has no serialNumber (802.1AR section 8.6)."""
    signer = replace(leaf(scene.maker.issuer, common_name("EX-100")), serial_number="EX-000017")
    return scene.enrol(signer).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.3")
def serial_number_twice(scene: Scene) -> bytes:
    """The IDevID's subject has two: two readers would see two devices."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("EX-000017", "EX-000018"))).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.3")
def serial_number_with_line_break(scene: Scene) -> bytes:
    """The serial number would write a line of its own into a log."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("EX-1\nlevel=info ok"))).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.3")
def serial_number_that_turns_text_round(scene: Scene) -> bytes:
    """The serial number holds U+202E, so that a person reads another one."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("EX-\u202e710000"))).body()


@BAD.refused(Code.MALFORMED, "3.3")
def serial_number_with_blanks(scene: Scene) -> bytes:
    """The serial number differs from another device's by a blank at its end."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("EX-000017 "))).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.1")
def idevid_key_rsa1024(scene: Scene) -> bytes:
    """The IDevID's key is RSA with 1,024 bits."""
    return scene.enrol(scene.maker.device(key=rsa_key(1024))).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.1")
def idevid_key_p521(scene: Scene) -> bytes:
    """The IDevID's key is P-521."""
    signer = scene.maker.device(key=ec.generate_private_key(ec.SECP521R1()))
    return scene.enrol(signer).with_header(alg="ES256").body(lambda _key, _data: bytes(64))


@BAD.refused(Code.KEY_UNSUITABLE, "3.1")
def idevid_key_ed25519(scene: Scene) -> bytes:
    """The IDevID's key is Ed25519."""
    signer = scene.maker.device(key=ed25519.Ed25519PrivateKey.generate())
    return scene.enrol(signer).with_header(alg="ES256").body(lambda _key, _data: bytes(64))


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def x5c_absent(scene: Scene) -> bytes:
    """There is no x5c."""
    return scene.enrol().with_header(x5c=ABSENT).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def x5c_empty(scene: Scene) -> bytes:
    """X5c is an empty list."""
    return scene.enrol().with_header(x5c=[]).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def x5c_too_many(scene: Scene) -> bytes:
    """X5c has seven certificates."""
    device = scene.device
    x5c = [base64(device.chain[0]), *[base64(device.chain[1])] * 6]
    return scene.enrol().with_header(x5c=x5c).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.1")
def x5c_garbage(scene: Scene) -> bytes:
    """What stands in x5c is no certificate."""
    return scene.enrol().with_header(x5c=[base64(b"not a certificate")]).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.1")
def x5c_intermediate_garbage(scene: Scene) -> bytes:
    """The leaf is in order, what follows it is no certificate."""
    x5c = [base64(scene.device.chain[0]), base64(b"not a certificate")]
    return scene.enrol().with_header(x5c=x5c).body()


@BAD.refused(Code.CERTIFICATE_MALFORMED, "3.1")
def x5c_cut(scene: Scene) -> bytes:
    """The leaf in x5c lacks its last octet."""
    device = scene.device
    x5c = [base64(device.chain[0][:-1]), base64(device.chain[1])]
    return scene.enrol().with_header(x5c=x5c).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def x5c_not_base64(scene: Scene) -> bytes:
    """X5c is not base64."""
    return scene.enrol().with_header(x5c=["not base64!"]).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def x5c_oversized(scene: Scene) -> bytes:
    """A certificate in x5c has more than 4 kB."""
    return scene.enrol().with_header(x5c=[base64(bytes(4_097))]).body()


@BAD.refused(Code.CHAIN_UNTRUSTED, "3.3")
def anchor_as_idevid(scene: Scene) -> bytes:
    """The trust anchor itself is sent as a device's identity."""
    anchor = scene.maker.root
    signer = Identity(anchor.key, (der(anchor.certificate),), "EX-000017")
    return scene.enrol(signer).body()
