# SPDX-License-Identifier: Apache-2.0
"""Devices for benchmarks: minted in memory, their requests ready but for the nonce."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.keys import PrivateKey
from homeport.keys.file import FileKey
from homeport.pki.authority import Issuer, build_intermediate, build_root
from homeport.pki.certificates import der_of
from homeport.pki.idevid import IdevIdMinter
from homeport.pki.jws import sign
from homeport.pki.requests import build_request
from homeport.protocols.native.wire import (
    ENROL_TYP,
    AnyAnswer,
    Enrolled,
    EnrolRequest,
    Greeting,
    NetworkFacts,
    encode,
)

MODEL = "EX-100"
PREFIX = "BE-"


@dataclass(frozen=True)
class BenchIssuer:
    """A factory's CA as `homeport factory init` makes it: an anchor, and below it the issuer."""

    key: PrivateKey
    certificate: x509.Certificate
    anchor: x509.Certificate


@dataclass
class BenchDevice:
    """One device with its identity and the request for its operational key."""

    serial_number: str
    key: PrivateKey
    private_key: ec.EllipticCurvePrivateKey
    idevid: bytes
    leaf: x509.Certificate
    issuer: x509.Certificate
    csr: bytes

    def request(self, greeting: Greeting) -> bytes:
        payload = EnrolRequest(
            version=1,
            request_id=self.serial_number.replace("-", "").rjust(16, "0"),
            device_nonce=os.urandom(32),
            serial_number=self.serial_number,
            model=MODEL,
            csr=self.csr,
            agent="bench/1",
            network=NetworkFacts(interface="eth0", addresses=("192.0.2.9",), source="dhcp4-143"),
        )
        return sign(
            encode(payload),
            key=self.key,
            typ=ENROL_TYP,
            url=greeting.enrol,
            nonce=greeting.nonce,
            x5c=[self.idevid, der_of(self.issuer)],
        )

    def check(self, answer: AnyAnswer) -> None:
        if not isinstance(answer, Enrolled):
            raise TypeError(f"{self.serial_number}: {type(answer).__name__}")


def make_issuer() -> BenchIssuer:
    root, key, now = fresh_key(), fresh_key(), datetime.now(UTC)
    anchor = build_root(root, "bench factory", now, None)
    issuer = build_intermediate(Issuer(anchor, root), key.public_key(), "bench line", now, 20)
    return BenchIssuer(key, issuer, anchor)


def make_devices(issuer: BenchIssuer, count: int) -> list[BenchDevice]:
    minter = IdevIdMinter(issuer.certificate, issuer.key)
    return [_make(minter, issuer, number) for number in range(count)]


def serial_of(number: int) -> str:
    return f"{PREFIX}{number:08}"


def fresh_key() -> FileKey:
    return FileKey("file:memory", ec.generate_private_key(ec.SECP256R1()))


def _make(minter: IdevIdMinter, issuer: BenchIssuer, number: int) -> BenchDevice:
    private = ec.generate_private_key(ec.SECP256R1())
    serial_number = serial_of(number)
    idevid = minter.mint(private.public_key(), serial_number, MODEL, datetime.now(UTC))
    return BenchDevice(
        serial_number=serial_number,
        key=FileKey("file:memory", private),
        private_key=private,
        idevid=idevid,
        leaf=x509.load_der_x509_certificate(idevid),
        issuer=issuer.certificate,
        csr=build_request(fresh_key(), serial_number),
    )


def anchor_of(issuer: BenchIssuer) -> bytes:
    return der_of(issuer.anchor)
