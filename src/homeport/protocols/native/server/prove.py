# SPDX-License-Identifier: Apache-2.0
"""From octets to a proven request: [3.3] of docs/protocols/native.md, in its order.

Cheapest check first. Only the functions here make `ProvenRequest` and `ProvenRenewal` for this
protocol. No I/O: the anchors are given, the registry is asked by the verbs.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError, MalformedError
from homeport.pki.anchors import Anchors
from homeport.pki.certificates import (
    device_id_of,
    parse_certificate,
    public_key_of,
    spki_hash,
    subject_serial_number,
)
from homeport.pki.chains import verify_idevid, verify_ldevid
from homeport.pki.issuers import IssuerCache
from homeport.pki.jws import UnverifiedJws, parse, verify
from homeport.pki.requests import verify_request
from homeport.protocols.native.server.answers import Binding
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.wire import (
    ENROL_PATH,
    ENROL_TYP,
    RENEW_PATH,
    RENEW_TYP,
    REQUEST_MAX_BYTES,
    EnrolRequest,
    read_enrol_request,
    read_renew_request,
)
from homeport.provisioning.proof import ProvenRenewal, ProvenRequest


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A proven enrolment request, and what its answer is bound to."""

    proven: ProvenRequest
    request: EnrolRequest
    binding: Binding


class Prover:
    """Checks requests against who may sign them here."""

    def __init__(
        self, url: str, nonces: Nonces, ldevid_issuers: Sequence[x509.Certificate]
    ) -> None:
        """Take the platform's base URL as configured, its nonces and its own issuers."""
        self._enrol_url, self._renew_url = url + ENROL_PATH, url + RENEW_PATH
        self._nonces = nonces
        self._ldevid_issuers = ldevid_issuers
        self._issuers = IssuerCache()

    def prove_enrolment(self, body: bytes, anchors: Anchors, peer: str, now: datetime) -> Enrolling:
        """Check an enrolment request; HomeportError says what is wrong with it."""
        jws, x5c = self._open(body, ENROL_TYP, self._enrol_url, now)
        leaf = parse_certificate(x5c[0])
        chain = verify_idevid(leaf, x5c[1:], anchors, self._issuers)
        request = read_enrol_request(verify(jws, chain.public_key))
        serial_number = subject_serial_number(leaf)
        _check_said(request, serial_number)
        csr = verify_request(request.csr)
        proven = ProvenRequest(
            device=DeviceId(chain.authority_id, serial_number),
            model=request.model,
            idevid_fingerprint=hashlib.sha256(x5c[0]).hexdigest(),
            csr=csr,
            key_hash=spki_hash(csr.public_key),
            request_id=request.request_id,
            epoch=request.epoch,
            peer=peer,
        )
        if csr.public_key == chain.public_key:
            # An LDevID is erased at reset; the IDevID's key is for life and for nothing else.
            raise HomeportError(Code.KEY_UNSUITABLE, "the operational key is the IDevID's")
        return Enrolling(proven, request, Binding(request.device_nonce, jws.hash()))

    def prove_renewal(self, body: bytes, peer: str, now: datetime) -> tuple[ProvenRenewal, Binding]:
        """Check a renewal request; HomeportError says what is wrong with it."""
        jws, x5c = self._open(body, RENEW_TYP, self._renew_url, now)
        leaf = parse_certificate(x5c[0])
        verify_ldevid(leaf, self._ldevid_issuers)
        request = read_renew_request(verify(jws, public_key_of(leaf)))
        csr = verify_request(request.csr)
        proven = ProvenRenewal(
            device=DeviceId.parse(device_id_of(leaf)),
            fingerprint=hashlib.sha256(x5c[0]).hexdigest(),
            csr=csr,
            key_hash=spki_hash(csr.public_key),
            request_id=request.request_id,
            peer=peer,
        )
        return proven, Binding(request.device_nonce, jws.hash())

    def _open(
        self, body: bytes, typ: str, url: str, now: datetime
    ) -> tuple[UnverifiedJws, tuple[bytes, ...]]:
        jws = parse(body, limit=REQUEST_MAX_BYTES)
        if jws.header.typ != typ:
            raise MalformedError(f"typ {jws.header.typ[:60]!r}", Code.JWS_MALFORMED)
        if jws.header.url != url:
            raise HomeportError(Code.URL_WRONG, f"signed for {(jws.header.url or '')[:200]!r}")
        self._nonces.check(jws.header.nonce, now)
        if jws.header.x5c is None:
            raise MalformedError("no x5c", Code.JWS_MALFORMED)
        return jws, jws.header.x5c


def _check_said(request: EnrolRequest, serial_number: str) -> None:
    if request.serial_number != serial_number:
        raise HomeportError(
            Code.SERIAL_NUMBER_MISMATCH, f"{serial_number} asks for {request.serial_number}"
        )
    if not request.model.isprintable():
        # It is shown to people: an escape sequence would act on the operator's terminal.
        raise MalformedError("the model has control characters")
