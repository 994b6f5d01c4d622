# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""Requests that a platform must accept."""

import datetime as dt
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tools.vectors_native.draft import Draft, base64
from tools.vectors_native.identities import (
    Form,
    certificate_request,
    der,
    device_name,
    leaf,
    p256,
    rsa_key,
    tagged,
)
from tools.vectors_native.recipe import Recipes
from tools.vectors_native.scene import Scene

GOOD = Recipes()
OTHER_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
"""id-on-hardwareModuleName (RFC 4108 section 5)."""


@GOOD.proven("3.1")
def es256(scene: Scene) -> Draft:
    """A P-256 IDevID without subjectAltName, valid until the year 9999, signs with ES256."""
    return scene.enrol()


@GOOD.proven("3.1")
def es384(scene: Scene) -> Draft:
    """A P-384 IDevID signs with ES384, and asks for a P-384 operational key."""
    key = ec.generate_private_key(ec.SECP384R1())
    return scene.enrol(scene.maker.device(key=key), key=ec.generate_private_key(ec.SECP384R1()))


@GOOD.proven("3.1")
def ps256(scene: Scene) -> Draft:
    """An RSA IDevID signs with PS256; its root is an RSA key too, and its direct issuer."""
    return scene.enrol(scene.maker.device(scene.maker.rsa_root, rsa_key()))


@GOOD.proven("3.1")
def rs256(scene: Scene) -> Draft:
    """An RSA IDevID signs with RS256, and asks for an RSA operational key."""
    signer = scene.maker.device(scene.maker.rsa_root, rsa_key())
    return scene.enrol(signer, key=rsa_key()).with_header(alg="RS256")


@GOOD.proven("3.1")
def without_intermediates(scene: Scene) -> Draft:
    """The trust anchor itself issued the IDevID, so x5c holds the leaf alone."""
    return scene.enrol(scene.maker.device(scene.maker.root))


@GOOD.proven("3.1")
def with_root(scene: Scene) -> Draft:
    """The root is sent along; it is not needed and does no harm."""
    device = scene.maker.device()
    root = der(scene.maker.root.certificate)
    return scene.enrol(replace(device, chain=(*device.chain, root)))


@GOOD.proven("3.1")
def hardware_module_name(scene: Scene) -> Draft:
    """The IDevID's subjectAltName is a HardwareModuleName (802.1AR section 8.10.4)."""
    value = tagged(0x30, bytes.fromhex("06032a0304") + tagged(0x04, b"EX-000017"))
    form = Form(names=(x509.OtherName(OTHER_NAME, value),))
    return scene.enrol(scene.maker.device(form=form))


@GOOD.proven("3.3")
def issuer_expired_since(scene: Scene) -> Draft:
    """The IDevID's issuer expired, but after the IDevID was made: the identity is for life."""
    made = dt.datetime(2024, 9, 1, tzinfo=dt.UTC)
    return scene.enrol(scene.maker.device(scene.maker.expired_issuer, form=Form(not_before=made)))


@GOOD.proven("3.3")
def idevid_expired_since(scene: Scene) -> Draft:
    """The IDevID itself has an end, and it has passed; validity is judged at its notBefore."""
    form = Form(not_after=dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
    return scene.enrol(scene.maker.device(form=form))


@GOOD.proven("3.1")
def unknown_header_member(scene: Scene) -> Draft:
    """Header members that nobody knows are ignored (RFC 7515 section 4), if not critical."""
    return scene.enrol().with_header(**{"example.com/trace": "1"})


@GOOD.proven("3.2")
def long_poll(scene: Scene) -> Draft:
    """The device will wait 30 s for a missing fact, and has seen ownership epoch 3."""
    return scene.enrol().with_payload(wait=30, epoch=3)


@GOOD.proven("3.2")
def smallest_payload(scene: Scene) -> Draft:
    """Only the members without default."""
    draft = scene.enrol()
    wanted = ("version", "request_id", "device_nonce", "serial_number", "model", "csr")
    assert not isinstance(draft.payload, bytes)
    return replace(draft, payload={name: draft.payload[name] for name in wanted})


@GOOD.proven("3.2")
def csr_with_wishes(scene: Scene) -> Draft:
    """The PKCS#10 request names another subject; only its key is taken."""
    wish = certificate_request(p256(), device_name("EX-999999", common_name="root"))
    return scene.enrol().with_payload(csr=base64(wish))


@GOOD.proven("3.2")
def serial_number_with_topic_signs(scene: Scene) -> Draft:
    """The serial number holds wildcards and separators of MQTT and NATS; the id escapes them."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("+/#>*. $SYS")))


@GOOD.proven("3.2")
def serial_number_as_path(scene: Scene) -> Draft:
    """The serial number looks like a path; the device id escapes it."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("../../etc/passwd")))


@GOOD.proven("3.2")
def serial_number_as_sql(scene: Scene) -> Draft:
    """The serial number looks like SQL and HTML; it is text like any other."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("';DROP TABLE device;--<script>")))


@GOOD.proven("3.2")
def serial_number_in_unicode(scene: Scene) -> Draft:
    """The serial number is not ASCII; its UTF-8 is escaped octet by octet."""
    return scene.enrol(leaf(scene.maker.issuer, device_name("Größe-№7-漢")))


@GOOD.proven("5", kind="renew")
def renewal(scene: Scene) -> Draft:
    """A valid LDevID asks for its next certificate, for the same key."""
    return scene.renew()


@GOOD.proven("5", kind="renew")
def rekey(scene: Scene) -> Draft:
    """A valid LDevID asks for a certificate for a new key."""
    return scene.renew(key=p256())


@GOOD.proven("5", kind="renew", live=False)
def renewal_when_expired(scene: Scene) -> Draft:
    """The LDevID expired; whether it still may renew is the registry's to say."""
    number = scene.maker.next_number()
    began, ended = scene.now - dt.timedelta(days=200), scene.now - dt.timedelta(days=110)
    device = f"{scene.maker.root.id}-{number}"
    return scene.renew(scene.platform.ldevid(device, number, began, ended))
