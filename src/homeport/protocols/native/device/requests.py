# SPDX-License-Identifier: Apache-2.0
"""What a device signs [3, 5, 7]: by its IDevID to enrol or be registered, by its LDevID to renew.

The request is bound to one platform by `url` and to one moment by `nonce`; the answer is bound to
the request by the device's own nonce and the request's hash.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from homeport.keys import PrivateKey
from homeport.pki import jws
from homeport.protocols.native.wire import (
    ENROL_TYP,
    REGISTER_TYP,
    RENEW_TYP,
    VERSION,
    EnrolRequest,
    NetworkFacts,
    RegisterRequest,
    RenewRequest,
    Request,
    encode,
)

DEVICE_NONCE_SIZE: Final = 16
"""Octets: 128 random bits do not repeat."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the certificate chain that speaks for it (DER, leaf first, without root)."""

    key: PrivateKey
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """What stays the same however often it must be asked: one operational key, one request id."""

    request_id: str
    csr: bytes
    """PKCS#10, DER."""
    epoch: int
    """The highest ownership epoch that the device has seen."""
    agent: str
    """Program and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What the device says of itself when it enrols."""

    serial_number: str
    model: str
    network: NetworkFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """For whom a device signs that it is to be registered, and what it saw of the installer."""

    serial_number: str
    model: str
    tenant: str
    dpp_key_hash: bytes
    """SHA-256 of the SubjectPublicKeyInfo on the label."""
    pressed: bool
    """Whether its button was pressed for it."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request ready to be sent, and what its answer must carry."""

    body: bytes
    hash: bytes
    device_nonce: bytes


def build_enrol_request(
    idevid: Signer, facts: DeviceFacts, asked: KeyRequest, *, url: str, nonce: str, wait: int = 0
) -> SignedRequest:
    """Sign an enrolment request [3] for the platform that named `url` and gave `nonce`.

    `wait` is how long the device will wait for a missing fact, seconds, at most 30. Raise
    KEY_STORE_UNAVAILABLE if the key's place does not answer.
    """
    payload = EnrolRequest(
        version=VERSION,
        request_id=asked.request_id,
        device_nonce=secrets.token_bytes(DEVICE_NONCE_SIZE),
        serial_number=facts.serial_number,
        model=facts.model,
        csr=asked.csr,
        agent=asked.agent,
        epoch=asked.epoch,
        wait=wait,
        network=facts.network,
    )
    return _signed(payload, idevid, typ=ENROL_TYP, url=url, nonce=nonce)


def build_renew_request(
    ldevid: Signer, asked: KeyRequest, *, url: str, nonce: str
) -> SignedRequest:
    """Sign a renewal request [5] with the present LDevID. Raise KEY_STORE_UNAVAILABLE."""
    payload = RenewRequest(
        version=VERSION,
        request_id=asked.request_id,
        device_nonce=secrets.token_bytes(DEVICE_NONCE_SIZE),
        csr=asked.csr,
        agent=asked.agent,
        epoch=asked.epoch,
    )
    return _signed(payload, ldevid, typ=RENEW_TYP, url=url, nonce=nonce)


def build_register_request(
    signer: Signer, registering: Registering, asked: KeyRequest, *, url: str, nonce: str
) -> SignedRequest:
    """Sign what an installer takes to the platform [7].

    `signer` has the IDevID; or, for a device without one, the new operational key and no chain:
    that shows a fresh request and the key, and not who it is. Raise KEY_STORE_UNAVAILABLE.
    """
    payload = RegisterRequest(
        version=VERSION,
        request_id=asked.request_id,
        device_nonce=secrets.token_bytes(DEVICE_NONCE_SIZE),
        serial_number=registering.serial_number,
        model=registering.model,
        csr=asked.csr,
        tenant=registering.tenant,
        dpp_key_hash=registering.dpp_key_hash,
        pressed=registering.pressed,
        agent=asked.agent,
        epoch=asked.epoch,
    )
    return _signed(payload, signer, typ=REGISTER_TYP, url=url, nonce=nonce)


def _signed(payload: Request, signer: Signer, *, typ: str, url: str, nonce: str) -> SignedRequest:
    body = jws.sign(
        encode(payload), key=signer.key, typ=typ, url=url, nonce=nonce, x5c=signer.chain
    )
    return SignedRequest(body, jws.parse(body).hash(), payload.device_nonce)
