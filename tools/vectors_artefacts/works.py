# SPDX-License-Identifier: Apache-2.0
"""A manufacturer in memory: its authorities and signers, with keys that are made anew."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.artefacts.claim_code import hash_claim_code, make_claim_code
from homeport.artefacts.dpp_key import compressed_point, dpp_spki
from homeport.artefacts.label import Label, sign_label
from homeport.artefacts.manifest import ManifestHeader, ManifestLine, ManifestWriter
from homeport.artefacts.signers import MANIFEST_SIGNER, VOUCHER_SIGNER
from homeport.factory.certificates import make_issuer, make_root, make_signer
from homeport.keys import FileKey, PrivateKey
from homeport.pki.authority import Issuer
from homeport.pki.certificates import authority_id, der_of
from homeport.pki.idevid import IdevIdMinter

BEGIN: Final = datetime(2026, 11, 23, tzinfo=UTC)
MODEL: Final = "EX-100"


def memory_key() -> FileKey:
    """Make a P-256 key that lives here only."""
    return FileKey("file:/memory", ec.generate_private_key(ec.SECP256R1()))


@dataclass(frozen=True)
class Signer:
    """A key and the chain that says what it may sign."""

    key: PrivateKey
    certificate: x509.Certificate
    x5c: Sequence[bytes]

    @classmethod
    def under(cls, issuer: Issuer, usage: x509.ObjectIdentifier, *above: x509.Certificate) -> Self:
        """Make a signer under an issuer; `above` goes along in x5c."""
        key = memory_key()
        certificate = make_signer(issuer, key.public_key(), "Signer", usage, BEGIN)
        return cls(key, certificate, [der_of(certificate), *map(der_of, above)])


class Works:
    """Two authorities, as `homeport factory init` makes them."""

    def __init__(self) -> None:
        """Make keys and certificates."""
        root_key = memory_key()
        self.voucher_root_key = memory_key()
        self.issuer_key = memory_key()
        self.root = make_root(root_key, "Works IDevID root", BEGIN)
        self.issuer = make_issuer(
            Issuer(self.root, root_key), self.issuer_key.public_key(), "Works IDevID issuer", BEGIN
        )
        self.minter = IdevIdMinter(self.issuer, self.issuer_key)
        self.manifest_signer = self.signer(MANIFEST_SIGNER)
        self.voucher_root = make_root(self.voucher_root_key, "Works voucher root", BEGIN)
        self.voucher_issuer = Issuer(self.voucher_root, self.voucher_root_key)
        self.voucher_signer = Signer.under(self.voucher_issuer, VOUCHER_SIGNER)

    def signer(self, usage: x509.ObjectIdentifier) -> Signer:
        """Make a signer under the IDevID issuer."""
        return Signer.under(Issuer(self.issuer, self.issuer_key), usage, self.issuer)

    def device_signer(self, number: int) -> Signer:
        """Make a device: its identity, trying to sign."""
        key = memory_key()
        idevid = self.minter.mint(key.public_key(), f"EX-{number:06d}", MODEL, BEGIN)
        certificate = x509.load_der_x509_certificate(idevid)
        return Signer(key, certificate, [idevid, der_of(self.issuer)])

    def header(self) -> ManifestHeader:
        """Return a manifest's header."""
        return ManifestHeader(
            manifest=1,
            authority=authority_id(self.root),
            factory="Works",
            created=int(BEGIN.timestamp()),
        )

    def line(self, number: int) -> ManifestLine:
        """Mint a device and return what a manifest says of it."""
        serial = f"EX-{number:06d}"
        key, dpp = memory_key().public_key(), dpp_spki(dpp_point())
        return ManifestLine(
            serial_number=serial,
            model=MODEL,
            hardware_identity="file",
            idevid=self.minter.mint(key, serial, MODEL, BEGIN),
            dpp_key=dpp,
            dpp_key_hash=_sha256(dpp).hex(),
            claim_code_hash=hash_claim_code(make_claim_code()).hex(),
        )

    def manifest(
        self,
        lines: Sequence[ManifestLine],
        *,
        signer: Signer | None = None,
        header: ManifestHeader | None = None,
    ) -> bytes:
        """Write a manifest."""
        stream = io.BytesIO()
        writer = ManifestWriter(stream, header or self.header())
        for line in lines:
            writer.add(line)
        chosen = signer or self.manifest_signer
        writer.finish(chosen.key, chosen.x5c)
        return stream.getvalue()

    def label(self, number: int, page: str = "https://label.example/") -> Label:
        """Return a signed label of a new device."""
        line, point, code = self.line(number), dpp_point(), make_claim_code()
        unsigned = Label(
            page=page,
            serial_number=line.serial_number,
            model=line.model,
            claim_code=code,
            claim_code_hash=hash_claim_code(code),
            dpp_point=point,
            idevid_hash=_sha256(line.idevid),
            signature=b"",
        )
        return sign_label(unsigned, self.manifest_signer.key)


def dpp_point() -> bytes:
    """Make a DPP key and return its point."""
    return compressed_point(ec.generate_private_key(ec.SECP256R1()).public_key())


def _sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
