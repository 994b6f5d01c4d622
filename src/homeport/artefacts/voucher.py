# SPDX-License-Identifier: Apache-2.0
"""Ownership vouchers: whose a device is, told so that the device itself can check it, offline.

The data model is RFC 8366's (YANG module ietf-voucher, in JSON by RFC 7951), signed as in
draft-ietf-anima-jws-voucher; one leaf of ours is added, the ownership epoch. What a device does
with one is product decision 3 and docs/understand/vouchers.md:
- the signer's certificate is for vouchers and leads to a *voucher* anchor, no other;
- the epoch never runs backwards;
- a device without trusted time accepts only a voucher with its own fresh nonce;
- what we cannot fulfil is refused, not passed over: unknown leafs, revocation checks.

A decision without I/O: octets and facts in, `ProvenVoucher` out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from cryptography import x509
from msgspec import Meta, Struct, field

from homeport.artefacts.general_jws import general_from_flattened, parse_general
from homeport.artefacts.signers import VOUCHER_SIGNER, verify_signer
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PrivateKey
from homeport.pki import base64url, jws
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import extension_of, parse_certificate, public_key_of

TYP: Final = "voucher-jws+json"
VOUCHER_MAX_BYTES: Final = 8_192
"""What the native protocol carries; a voucher with two certificates in x5c takes 3 kB."""
NONCE_BYTES: Final = range(8, 33)
"""RFC 8366 section 5.3, leaf nonce."""

Assertion = Literal["verified", "logged", "proximity"]
Instant = Annotated[datetime, Meta(tz=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """What a voucher says."""

    serial_number: str
    pinned_domain_cert: bytes
    """The owner's domain certificate, DER: the device trusts this and what it has issued."""
    epoch: int
    """Ownership epoch."""
    created_on: datetime
    expires_on: datetime | None = None
    """Not together with a nonce (RFC 8366 section 5.3)."""
    nonce: bytes | None = None
    """8 to 32 bytes that the device chose."""
    idevid_issuer: bytes | None = None
    """See `idevid_issuer_of`."""
    assertion: Assertion = "verified"

    def __post_init__(self) -> None:
        """Refuse what RFC 8366 forbids (MalformedError)."""
        if self.nonce is not None and self.expires_on is not None:
            raise MalformedError("a voucher has a nonce or an end, not both")
        if self.nonce is not None and len(self.nonce) not in NONCE_BYTES:
            raise MalformedError("a nonce has 8 to 32 bytes")


@dataclass(frozen=True, slots=True)
class ProvenVoucher:
    """A voucher that holds for this device, now. Only `verify_voucher` makes it."""

    serial_number: str
    epoch: int
    pinned_domain_cert: x509.Certificate
    expires_on: datetime | None


class _Leafs(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    rename="kebab", gc=False,
):  # fmt: skip
    """RFC 8366 section 5.3, and our own."""

    created_on: Instant
    assertion: Assertion
    serial_number: Annotated[str, Meta(min_length=1, max_length=64)]
    pinned_domain_cert: Annotated[bytes, Meta(min_length=1, max_length=4096)]
    epoch: Annotated[int, Meta(ge=0, le=2**31 - 1)] = field(name="homeport-voucher:ownership-epoch")
    expires_on: Instant | None = None
    idevid_issuer: Annotated[bytes, Meta(max_length=1024)] | None = None
    nonce: bytes | None = None
    domain_cert_revocation_checks: bool = False
    last_renewal_date: Instant | None = None


class _Payload(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    voucher: _Leafs = field(name="ietf-voucher:voucher")


_decoder: Final = msgspec.json.Decoder(_Payload)
_encoder: Final = msgspec.json.Encoder()


def issue_voucher(voucher: Voucher, key: PrivateKey, x5c: Sequence[bytes]) -> bytes:
    """Sign a voucher; x5c is the voucher signer's chain (DER, leaf first).

    Raise KEY_STORE_UNAVAILABLE if the key's place does not answer.
    """
    leafs = _Leafs(
        created_on=_whole_second(voucher.created_on),
        assertion=voucher.assertion,
        serial_number=voucher.serial_number,
        pinned_domain_cert=voucher.pinned_domain_cert,
        epoch=voucher.epoch,
        expires_on=_whole_second(voucher.expires_on) if voucher.expires_on else None,
        idevid_issuer=voucher.idevid_issuer,
        nonce=voucher.nonce,
    )
    payload = _encoder.encode(_Payload(leafs))
    return general_from_flattened(jws.sign(payload, key=key, typ=TYP, x5c=x5c))


def read_voucher(data: bytes) -> Voucher:
    """Read what a voucher *says*, to file it; nothing of it is proven. Raise MalformedError."""
    try:
        signed = parse_general(data, limit=VOUCHER_MAX_BYTES)
        return _voucher(_leafs(base64url.decode(signed.payload)))
    except MalformedError:
        raise
    except HomeportError as error:  # an algorithm that is none of ours
        raise MalformedError(str(error), Code.JWS_MALFORMED) from None


def verify_voucher(  # noqa: PLR0913  (the facts that decide, by name)
    data: bytes,
    *,
    anchors: Anchors,
    serial_number: str,
    epoch_floor: int,
    idevid_issuer: bytes | None = None,
    nonce: bytes | None = None,
    now: datetime | None = None,
    floor: datetime | None = None,
) -> ProvenVoucher:
    """Decide whether a voucher holds for a device.

    `anchors` are for vouchers; `nonce` is the one that the device sent, if any; `now` is None where
    time is not trusted, and `floor` then is a time that has certainly passed. Raise EPOCH_STALE,
    or VOUCHER_UNPROVEN whatever else is wrong.
    """
    try:
        leafs = _leafs(_signed_by_voucher_authority(data, anchors))
        voucher = _voucher(leafs)
        _check_device(voucher, serial_number, idevid_issuer)
        if leafs.domain_cert_revocation_checks:
            raise _unproven("it demands revocation checks, which we cannot make")
        _check_time(voucher, nonce, now, floor)
        pinned = parse_certificate(voucher.pinned_domain_cert)
        public_key_of(pinned)
    except HomeportError as error:
        raise _unproven(error.detail or error.title) from None
    if voucher.epoch < epoch_floor:
        raise HomeportError(Code.EPOCH_STALE, f"{voucher.epoch} after {epoch_floor}")
    return ProvenVoucher(serial_number, voucher.epoch, pinned, voucher.expires_on)


def idevid_issuer_of(idevid: x509.Certificate) -> bytes | None:
    """Return the leaf idevid-issuer for a device: the value of the IDevID's AuthorityKeyIdentifier.

    RFC 8366 section 5.3: the OCTET STRING of the extension, in DER. None if there is none.
    """
    identifier = extension_of(idevid, x509.AuthorityKeyIdentifier)
    if identifier is None:
        return None
    value = identifier.public_bytes()
    return bytes([0x04, len(value)]) + value if len(value) < 0x80 else None  # noqa: PLR2004


def _signed_by_voucher_authority(data: bytes, anchors: Anchors) -> bytes:
    signed = parse_general(data, limit=VOUCHER_MAX_BYTES)
    if signed.header.typ != TYP:
        raise _unproven("signed for another purpose")
    signer = verify_signer(signed.header.x5c or (), anchors, Purpose.VOUCHER, VOUCHER_SIGNER)
    return jws.verify(signed, public_key_of(signer))


def _check_device(voucher: Voucher, serial_number: str, idevid_issuer: bytes | None) -> None:
    if voucher.serial_number != serial_number:
        raise _unproven("it is for another device")
    if voucher.idevid_issuer is not None and voucher.idevid_issuer != idevid_issuer:
        raise _unproven("it is for another manufacturer's device of this number")


def _check_time(
    voucher: Voucher, nonce: bytes | None, now: datetime | None, floor: datetime | None
) -> None:
    if voucher.nonce is not None and voucher.nonce != nonce:
        raise _unproven("its nonce is not the device's")
    if voucher.nonce is None and now is None:
        # An old voucher could be played to a device that does not know how old it is.
        raise _unproven("without trusted time a voucher needs the device's nonce")
    passed = max((time for time in (now, floor) if time), default=None)
    if voucher.expires_on and passed and passed > voucher.expires_on:
        raise _unproven(f"it expired on {voucher.expires_on.isoformat()}")


def _leafs(payload: bytes) -> _Leafs:
    try:
        return _decoder.decode(payload).voucher
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"voucher: {error}") from None


def _voucher(leafs: _Leafs) -> Voucher:
    return Voucher(
        serial_number=leafs.serial_number,
        pinned_domain_cert=leafs.pinned_domain_cert,
        epoch=leafs.epoch,
        created_on=leafs.created_on,
        expires_on=leafs.expires_on,
        nonce=leafs.nonce,
        idevid_issuer=leafs.idevid_issuer,
        assertion=leafs.assertion,
    )


def _whole_second(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(microsecond=0)


def _unproven(detail: str) -> HomeportError:
    return HomeportError(Code.VOUCHER_UNPROVEN, detail)
