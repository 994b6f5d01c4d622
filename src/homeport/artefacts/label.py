# SPDX-License-Identifier: Apache-2.0
"""The label: one https URL with everything in its fragment. docs/understand/label.md.

    https://label.example/#1&s=EX-000017&m=EX-100&c=...&k=...&i=...&g=...

The fragment never reaches a web server's log. The manufacturer signs which DPP key and which claim
code belong to which IDevID, so a sticker with a foreign key and a good serial number is found out.
A `Label` that was read is not proven before `verify_label`; the host is never trusted.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.artefacts.claim_code import CLAIM_CODE_LENGTH, hash_claim_code, parse_claim_code
from homeport.artefacts.dpp_key import check_point, dpp_spki, dpp_uri
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PrivateKey, PublicKey, SignatureAlgorithm
from homeport.keys.algorithms import ECDSA, der_from_jose
from homeport.pki import base64url

LABEL_MAX_CHARACTERS: Final = 1_000
"""A QR code of version 20 holds 858 characters at level L; no label of ours needs half of it."""
NAME_MAX: Final = 64
"""Characters of serial number and model, as in the certificate."""
SIGNATURE_LENGTH: Final = 64
"""Bytes: the label's signer has a P-256 key, so that every phone can check it."""
HASH_LENGTH: Final = 32
P256_BITS: Final = 256

_CONTEXT: Final = b"homeport label 1\0"
"""A signature for a label is none for anything else."""
_WITH_CODE: Final = "smckig"
_WITHOUT_CODE: Final = "smhkig"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a label says."""

    page: str
    """The https URL without fragment: where a phone's own camera goes."""
    serial_number: str
    model: str
    claim_code: str | None
    """Without dashes; None on an NFC tag, which anybody could read in passing."""
    claim_code_hash: bytes
    dpp_point: bytes
    """The DPP bootstrapping key: a compressed point on P-256."""
    idevid_hash: bytes
    """SHA-256 of the IDevID."""
    signature: bytes
    """The manufacturer's, r and s side by side."""

    @property
    def dpp_uri(self) -> str:
        """The bootstrapping URI of Wi-Fi Easy Connect."""
        return dpp_uri(self.dpp_point)

    def encode(self) -> str:
        """Return the URL that is printed."""
        code = f"c={self.claim_code}" if self.claim_code else f"h={_text(self.claim_code_hash)}"
        fragment = (
            f"1&s={_escape(self.serial_number)}&m={_escape(self.model)}&{code}"
            f"&k={_text(self.dpp_point)}&i={_text(self.idevid_hash)}&g={_text(self.signature)}"
        )
        return f"{self.page}#{fragment}"

    def without_claim_code(self) -> "Label":
        """Return the form for an NFC tag."""
        return replace(self, claim_code=None)

    def signed_octets(self) -> bytes:
        """Return what the manufacturer signs."""
        names = [self.serial_number.encode(), self.model.encode()]
        return b"".join(
            [
                _CONTEXT,
                self.idevid_hash,
                hashlib.sha256(dpp_spki(self.dpp_point)).digest(),
                self.claim_code_hash,
                *(bytes([len(name) >> 8, len(name) & 0xFF]) + name for name in names),
            ]
        )


def sign_label(label: Label, key: PrivateKey) -> Label:
    """Return the label with the manufacturer's signature.

    Raise ALGORITHM_REFUSED unless the key is on P-256, KEY_STORE_UNAVAILABLE.
    """
    return replace(label, signature=key.sign(label.signed_octets(), SignatureAlgorithm.ES256))


def verify_label(label: Label, signer: PublicKey) -> None:
    """Prove a label by the manufacturer's signing key; raise SIGNATURE_WRONG.

    `signer` comes from a verified chain, or from the platform.
    """
    try:
        if not isinstance(signer, ec.EllipticCurvePublicKey) or signer.key_size != P256_BITS:
            raise InvalidSignature
        signer.verify(
            der_from_jose(label.signature), label.signed_octets(), ECDSA[SignatureAlgorithm.ES256]
        )
    except InvalidSignature:
        raise HomeportError(Code.SIGNATURE_WRONG, f"label of {label.serial_number}") from None


def parse_label(text: str) -> Label:
    """Read a label strictly: one text for one label. Raise MalformedError."""
    if len(text) > LABEL_MAX_CHARACTERS or not text.isascii():
        raise MalformedError("longer than any label, or not ASCII")
    page, hash_sign, fragment = text.partition("#")
    if not hash_sign or not _is_https(page):
        raise MalformedError("not a label: not an https URL with a fragment")
    members = _members(fragment)
    code = members.get("c")
    label = Label(
        page=page,
        serial_number=_name(members["s"]),
        model=_name(members["m"]),
        claim_code=code and parse_claim_code(code),
        claim_code_hash=hash_claim_code(code) if code else _octets(members["h"], HASH_LENGTH),
        dpp_point=base64url.decode(members["k"]),
        idevid_hash=_octets(members["i"], HASH_LENGTH),
        signature=_octets(members["g"], SIGNATURE_LENGTH),
    )
    check_point(label.dpp_point)
    if label.encode() != text:
        raise MalformedError("not a label: written in an unusual way")
    return label


def _members(fragment: str) -> Mapping[str, str]:
    version, *parts = fragment.split("&")
    if version != "1":
        raise MalformedError("not a label of version 1")
    names = "".join(part[:1] for part in parts)
    if names not in (_WITH_CODE, _WITHOUT_CODE) or any(part[1:2] != "=" for part in parts):
        raise MalformedError("not a label: members are missing, unknown or out of order")
    members = {part[0]: part[2:] for part in parts}
    if "c" in members and len(members["c"]) != CLAIM_CODE_LENGTH:
        raise MalformedError("not a claim code")
    return members


def _is_https(page: str) -> bool:
    try:
        parts = urlsplit(page)
        return parts.scheme == "https" and bool(parts.hostname) and page.isascii()
    except ValueError:
        return False


def _name(text: str) -> str:
    try:
        name = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise MalformedError("not a label: its escapes are not UTF-8") from None
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise MalformedError("a serial number or model is empty, too long or unprintable")
    return name


def _octets(text: str, length: int) -> bytes:
    value = base64url.decode(text)
    if len(value) != length:
        raise MalformedError(f"{len(value)} bytes where {length} belong")
    return value


def _escape(name: str) -> str:
    return quote(name, safe="")


def _text(value: bytes) -> str:
    return base64url.encode(value).decode()
