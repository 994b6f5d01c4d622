# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""Where recipes are played: makers with their devices, and a platform with its nonces and CAs."""

import datetime as dt
import hmac
import itertools
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tools.vectors_native.draft import Draft, base64
from tools.vectors_native.identities import (
    CLIENT_AUTH,
    FOR_EVER,
    MADE,
    Authority,
    Form,
    Identity,
    Key,
    certificate_request,
    device_name,
    intermediate,
    leaf,
    p256,
    root,
    rsa_key,
)

ENROL_PATH = "/.well-known/homeport/enrol"
RENEW_PATH = "/.well-known/homeport/renew"


class Maker:
    """A manufacturer: its root, the issuers below, and devices on demand."""

    def __init__(self) -> None:
        """Make the CAs: one in use, one that expired in 2025."""
        self.root = root("Example Devices Root")
        self.rsa_root = root("Example Devices RSA Root", rsa_key())
        self.issuer = intermediate(self.root, "Example Devices IDevID Issuer 1")
        ended = Form(is_ca=True, not_after=dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
        self.expired_issuer = intermediate(self.root, "Example Devices IDevID Issuer 0", ended)
        self._numbers = itertools.count(17)

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """What platforms trust for device identities."""
        return self.root.certificate, self.rsa_root.certificate

    def next_number(self) -> str:
        """A serial number that no device has."""
        return f"EX-{next(self._numbers):06d}"

    def device(
        self, issuer: Authority | None = None, key: Key | None = None, form: Form | None = None
    ) -> Identity:
        """Mint an IDevID."""
        return leaf(issuer or self.issuer, device_name(self.next_number()), key, form)


class PlatformKeys:
    """A platform's CAs, as far as a forger meets them."""

    def __init__(self, name: str) -> None:
        """Make root and LDevID issuer."""
        self.name = name
        self.root = root("Example Platform Root")
        self.ldevid_issuer = intermediate(self.root, "Example Platform LDevID Issuer")

    def ldevid(
        self,
        device: str,
        serial_number: str,
        began: dt.datetime = MADE,
        ended: dt.datetime = FOR_EVER,
    ) -> Identity:
        """Make an LDevID for a device id."""
        subject = device_name(serial_number, common_name=device[:64])
        names = (x509.UniformResourceIdentifier("urn:homeport:device:" + device),)
        form = Form(not_before=began, not_after=ended, usages=(CLIENT_AUTH,), names=names)
        return leaf(self.ldevid_issuer, subject, None, form)

    def service(self, usage: x509.ObjectIdentifier) -> Identity:
        """Make a certificate of the platform itself, for TLS or for answers."""
        form = Form(usages=(usage,), names=(x509.DNSName(self.name),))
        return leaf(self.root, device_name(common_name=self.name), None, form)


@dataclass
class NonceSource:
    """Nonces as `tests/vectors/native/README.md` describes them, and a note of each."""

    key: bytes
    issued: dict[str, dt.datetime] = field(default_factory=dict)

    def make(self, now: dt.datetime, key: bytes | None = None) -> str:
        """Return a nonce of this moment; with another `key` it is a foreign one."""
        body = int(now.timestamp() * 1000).to_bytes(8, "big") + os.urandom(8)
        tag = hmac.digest(key or self.key, body, "sha256")[:16]
        nonce = urlsafe_b64encode(body + tag).decode()
        if key is None:
            self.issued[nonce] = now
        return nonce


@dataclass(kw_only=True)
class Scene:
    """One maker and one platform. `nonce` gives what the platform's greeting would give now."""

    url: str
    now: dt.datetime
    maker: Maker
    platform: PlatformKeys
    nonce: Callable[[], str]
    old_nonce: Callable[[dt.timedelta], str] | None = None
    """A nonce of some time ago; None where time cannot be turned back."""
    ldevid: Identity
    """The device below `enrolled` asks with this one for renewals."""

    @cached_property
    def device(self) -> Identity:
        """A device whose IDevID is in order."""
        return self.maker.device()

    def enrol(self, signer: Identity | None = None, key: Key | None = None) -> Draft:
        """Draft an enrolment; `key` is the operational key to certify."""
        signer = signer or self.device
        payload = {
            **self._payload(key or p256(), signer.serial_number),
            "serial_number": signer.serial_number,
            "model": "EX-100",
            "wait": 0,
            "network": {"interface": "eth0", "addresses": ["192.0.2.17"], "source": "dhcp4-143"},
        }
        header = self._header("homeport-enrol+jws", self.url + ENROL_PATH, signer)
        return Draft(signer=signer, header=header, payload=payload)

    def renew(self, signer: Identity | None = None, key: Key | None = None) -> Draft:
        """Draft a renewal, of the same operational key unless another is given."""
        signer = signer or self.ldevid
        payload = self._payload(key or signer.key, signer.serial_number)
        header = self._header("homeport-renew+jws", self.url + RENEW_PATH, signer)
        return Draft(signer=signer, header=header, payload=payload)

    def past_nonce(self, age: dt.timedelta) -> str:
        """Return a nonce that the platform gave some time ago."""
        assert self.old_nonce is not None, "this recipe is for scenes that can turn time back"
        return self.old_nonce(age)

    def _header(self, typ: str, url: str, signer: Identity) -> dict[str, object]:
        x5c = [base64(certificate) for certificate in signer.chain]
        nonce = self.nonce()
        return {"alg": algorithm_of(signer.key), "typ": typ, "url": url, "nonce": nonce, "x5c": x5c}

    def _payload(self, key: Key, serial_number: str) -> dict[str, object]:
        return {
            "version": 1,
            "request_id": os.urandom(12).hex(),
            "device_nonce": base64(os.urandom(16)),
            "csr": base64(certificate_request(key, device_name(serial_number))),
            "agent": "example/1.0",
            "epoch": 0,
        }


def algorithm_of(key: Key) -> str:
    """Return the JOSE algorithm that fits the key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"secp256r1": "ES256", "secp384r1": "ES384"}.get(key.curve.name, "ES512")
    return "PS256"


def own_scene(now: dt.datetime, maker: Maker | None = None) -> tuple[Scene, NonceSource]:
    """Make the scene that the vectors are played in."""
    nonces = NonceSource(os.urandom(32))
    maker, platform = maker or Maker(), PlatformKeys("platform.example")
    serial_number = maker.next_number()
    device = f"{maker.root.id}-{serial_number}"
    ldevid = platform.ldevid(device, serial_number, began=now - dt.timedelta(days=60))
    scene = Scene(
        url="https://platform.example:8443",
        now=now,
        maker=maker,
        platform=platform,
        nonce=lambda: nonces.make(now),
        old_nonce=lambda age: nonces.make(now - age),
        ldevid=ldevid,
    )
    return scene, nonces
