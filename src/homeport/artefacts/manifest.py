# SPDX-License-Identifier: Apache-2.0
"""The hand-over manifest: a factory's signed list of minted devices. docs/understand/manifest.md.

JSON lines: a header, one device a line, a trailer. Every line but the trailer ends with `h`, the
beginning of the SHA-256 of the whole file before it, so that damage is found at its first line; the
trailer signs the whole digest, so that nothing can be changed on purpose. Writer and reader hold
one line at a time: a million devices do not take a million in memory.

What the reader yields is true only when it has come to its end without an error: an importer keeps
it in one transaction until then.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Annotated, BinaryIO, Final, Literal

import msgspec
from cryptography import x509
from msgspec import Meta, Struct

from homeport.artefacts.signers import MANIFEST_SIGNER, verify_signer
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PrivateKey
from homeport.pki import base64url, jws
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    authority_id,
    parse_certificate,
    public_key_of,
    subject_serial_number,
)

VERSION: Final = 1
TYP: Final = "homeport-manifest+jws"
LINE_MAX_BYTES: Final = 65_536
"""A trailer with six certificates of 4 kB takes 45 kB; a device's line takes 1 kB."""
MARK_BYTES: Final = 9
"""72 bits of each line's digest: beyond chance. The signature covers all 256."""

_MARK: Final = b',"h":"'
_END: Final = b'"}\n'
_TAIL: Final = len(_MARK) + MARK_BYTES * 4 // 3 + len(_END)
_TRAILER: Final = b'{"trailer":'

Hex256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
ShortText = Annotated[str, Meta(min_length=1, max_length=64)]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
HardwareIdentity = Literal["file", "pkcs11", "external"]


class ManifestHeader(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """The first line: which format, whose devices, from which factory, since when."""

    manifest: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    """Version of the format."""
    authority: Annotated[str, Meta(pattern=r"^[a-z2-7]{16}(?!\n)$")]
    """Name of the trust anchor that all identities below lead to (`homeport.pki`)."""
    factory: Annotated[str, Meta(min_length=1, max_length=255)]
    created: Annotated[int, Meta(ge=0, le=2**40)]
    """Whole seconds since 1970 UTC."""
    h: str = ""


class ManifestLine(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """One device."""

    serial_number: ShortText
    model: ShortText
    hardware_identity: HardwareIdentity
    """Where the IDevID's key lives; "external": it came as a PKCS#10 request."""
    idevid: Annotated[bytes, Meta(min_length=1, max_length=4096)]
    """X.509, DER."""
    dpp_key: Annotated[bytes, Meta(min_length=1, max_length=256)] | None
    """SubjectPublicKeyInfo of the DPP bootstrapping key, DER."""
    dpp_key_hash: Hex256 | None
    claim_code_hash: Hex256 | None
    h: str = ""

    @property
    def idevid_fingerprint(self) -> str:
        """SHA-256 of the IDevID in hexadecimal."""
        return hashlib.sha256(self.idevid).hexdigest()


class _Summary(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the trailer signs."""

    count: int
    """Devices."""
    digest: Digest
    """SHA-256 of all octets before the trailer's line."""
    header: Digest
    """SHA-256 of the header's line."""


class _Trailer(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    trailer: msgspec.Raw


_encoder: Final = msgspec.json.Encoder()
_header: Final = msgspec.json.Decoder(ManifestHeader)
_line: Final = msgspec.json.Decoder(ManifestLine)
_trailer: Final = msgspec.json.Decoder(_Trailer)
_summary: Final = msgspec.json.Decoder(_Summary)


class ManifestWriter:
    """Writes a manifest to a stream, line by line."""

    def __init__(self, stream: BinaryIO, header: ManifestHeader) -> None:
        """Write the header."""
        self._stream = stream
        self._digest = hashlib.sha256()
        self.count = 0
        self._header_digest = hashlib.sha256(self._write(header)).digest()

    def add(self, line: ManifestLine) -> None:
        """Write one device."""
        self._write(line)
        self.count += 1

    def finish(self, key: PrivateKey, x5c: Sequence[bytes]) -> None:
        """Sign what was written; x5c is the manifest signer's chain (DER, leaf first, no root)."""
        summary = _Summary(self.count, self._digest.digest(), self._header_digest)
        signed = jws.sign(_encoder.encode(summary), key=key, typ=TYP, x5c=x5c)
        self._stream.write(b"%b%b}\n" % (_TRAILER, signed))

    def _write(self, content: ManifestHeader | ManifestLine) -> bytes:
        body = _encoder.encode(content)[:-1]
        self._digest.update(body)
        tail = _MARK + base64url.encode(self._digest.digest()[:MARK_BYTES]) + _END
        self._digest.update(tail)
        line = body + tail
        self._stream.write(line)
        return line


def names_authority(stream: BinaryIO, authority: str) -> bool:
    """Say whether the manifest claims to be this authority's; nothing is proven by that."""
    start = stream.tell()
    header = stream.readline(LINE_MAX_BYTES)
    stream.seek(start)
    return f'"{authority}"'.encode() in header


class ManifestReader:
    """Reads a manifest from a stream, in bounded memory.

    Iterating yields the devices in order and ends only after the trailer's signature was proven.
    Every error is a HomeportError, MANIFEST_MALFORMED or MANIFEST_UNPROVEN, whose detail begins
    with the line: the first that is wrong, counted from 1 (the header).
    """

    def __init__(self, stream: BinaryIO, anchor: x509.Certificate) -> None:
        """Read the header; `anchor` is the manufacturer's trust anchor for IDevIDs."""
        self._stream = stream
        self._anchors = Anchors(Purpose.IDEVID, [anchor])
        self._digest = hashlib.sha256()
        self._number = 0
        line = self._next()
        self._check_mark(line)
        self._header_digest = hashlib.sha256(line).digest()
        try:
            self.header: Final = _header.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._malformed(f"not the header of a manifest: {error}") from None
        if self.header.authority != authority_id(anchor):
            raise self._unproven("the manifest is of another authority than the trust anchor")

    def __iter__(self) -> Iterator[ManifestLine]:
        """Yield the devices; see the class for when they can be believed."""
        while not (line := self._next()).startswith(_TRAILER):
            self._check_mark(line)
            yield self._device(line)
        self._prove(line)

    def _next(self) -> bytes:
        line = self._stream.readline(LINE_MAX_BYTES + 1)
        self._number += 1
        if not line:
            raise MalformedError(
                f"line {self._number}: the file ends after line {self._number - 1} without its"
                " trailer",
                Code.MANIFEST_MALFORMED,
            )
        if len(line) > LINE_MAX_BYTES:
            raise self._malformed(f"longer than {LINE_MAX_BYTES} bytes")
        if not line.endswith(b"\n"):
            raise self._malformed("the file ends in the middle of this line")
        return line

    def _check_mark(self, line: bytes) -> None:
        self._digest.update(line[:-_TAIL])
        mark = _MARK + base64url.encode(self._digest.digest()[:MARK_BYTES]) + _END
        if line[-_TAIL:] != mark:
            raise self._malformed("this line, or its mark, was altered")
        self._digest.update(mark)

    def _device(self, line: bytes) -> ManifestLine:
        try:
            device = _line.decode(line)
            certified = subject_serial_number(parse_certificate(device.idevid))
        except (msgspec.DecodeError, UnicodeDecodeError, MalformedError) as error:
            raise self._malformed(str(error)) from None
        if certified != device.serial_number:
            raise self._unproven("the IDevID is another device's")
        hashed = device.dpp_key and hashlib.sha256(device.dpp_key).hexdigest()
        if hashed != device.dpp_key_hash:
            raise self._malformed("dpp_key_hash is not the hash of dpp_key")
        return device

    def _prove(self, line: bytes) -> None:
        """Check the trailer: signature, signer, and that it speaks of what was read."""
        try:
            summary = _summary.decode(self._signed_by_factory(line))
        except (msgspec.DecodeError, UnicodeDecodeError, MalformedError) as error:
            raise self._malformed(f"trailer: {error}") from None
        except HomeportError as error:
            raise self._unproven(f"trailer: {error}") from None
        if summary != _Summary(self._number - 2, self._digest.digest(), self._header_digest):
            raise self._unproven("trailer: signed for other lines than these")
        if self._stream.read(1):
            self._number += 1
            raise self._malformed("there is something after the trailer")

    def _signed_by_factory(self, line: bytes) -> bytes:
        signed = jws.parse(bytes(_trailer.decode(line).trailer), limit=LINE_MAX_BYTES)
        if signed.header.typ != TYP:
            raise HomeportError(Code.SIGNATURE_WRONG, "signed for another purpose")
        chain = signed.header.x5c or ()
        signer = verify_signer(chain, self._anchors, Purpose.IDEVID, MANIFEST_SIGNER)
        return jws.verify(signed, public_key_of(signer))

    def _malformed(self, detail: str) -> MalformedError:
        return MalformedError(f"line {self._number}: {detail}", Code.MANIFEST_MALFORMED)

    def _unproven(self, detail: str) -> HomeportError:
        return HomeportError(Code.MANIFEST_UNPROVEN, f"line {self._number}: {detail}")
