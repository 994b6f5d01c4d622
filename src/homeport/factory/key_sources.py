# SPDX-License-Identifier: Apache-2.0
"""Where a device's key pair comes from: made here, made in a token, or made outside."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from homeport.artefacts.manifest import HardwareIdentity
from homeport.domain.device import check_serial_number
from homeport.errors import Code, HomeportError, MalformedError
from homeport.factory.archive.records import DeviceRecord, Record
from homeport.factory.key_places import in_token
from homeport.keys import PublicKey, make_key, open_key
from homeport.pki.certificates import READ_ERRORS, parse_certificate, public_key_of, spki_of
from homeport.pki.requests import ProvenCsr, verify_request

REQUEST_MAX_BYTES: Final = 16_384
"""A PKCS#10 request in PEM; RSA-4096 takes 2.2 kB."""


class DeviceKey(NamedTuple):
    """The hardware identity of one device, as far as the factory sees it."""

    public_key: PublicKey
    private_key: bytes | None
    """PKCS#8, DER, only if it is a software key made here."""
    uri: str
    """Where it lives, if in a token."""


class KeySource(Protocol):
    """Gives each serial number its key."""

    hardware_identity: HardwareIdentity

    def key_for(self, serial_number: str) -> DeviceKey:
        """Return the device's key."""
        ...


class SoftwareKeys:
    """Made in memory and kept in the archive: for development, and for devices without a vault."""

    hardware_identity: HardwareIdentity = "file"

    def key_for(self, serial_number: str) -> DeviceKey:  # noqa: ARG002  (all are alike)
        """Make a P-256 key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return DeviceKey(key.public_key(), pkcs8(key), "")


class TokenKeys:
    """Made in a PKCS#11 token, never to leave it; the object's label is the serial number."""

    hardware_identity: HardwareIdentity = "pkcs11"

    def __init__(self, token: str) -> None:
        """Take the token's URI, without object; raise SETTING_WRONG."""
        self._token = token
        in_token(token, "-")

    def key_for(self, serial_number: str) -> DeviceKey:
        """Make a P-256 key, or take the one that an interrupted run has left."""
        uri = in_token(self._token, serial_number)
        try:
            key = make_key(uri)
        except HomeportError as error:
            if error.code is not Code.ALREADY_EXISTS:
                raise
            # The archive has no record of it, so it was never certified.
            key = open_key(uri)
        return DeviceKey(key.public_key(), None, uri)


class RequestedKeys:
    """Made outside, and proven by a PKCS#10 request."""

    hardware_identity: HardwareIdentity = "external"

    def __init__(self, requests: Mapping[str, ProvenCsr]) -> None:
        """Take proven requests by serial number."""
        self.requests: Final = requests

    def key_for(self, serial_number: str) -> DeviceKey:
        """Return the key of the device's request."""
        return DeviceKey(self.requests[serial_number].public_key, None, "")


def read_requests(paths: Sequence[Path]) -> Mapping[str, ProvenCsr]:
    """Read PKCS#10 files (PEM or DER), one a device; the subject names the serial number.

    Raise FILE_MISSING, CSR_MALFORMED, CSR_UNPROVEN, KEY_UNSUITABLE or KEY_TAKEN, with the file.
    """
    found: dict[str, ProvenCsr] = {}
    keys: set[bytes] = set()
    for path in paths:
        try:
            serial_number, request = _read_request(path)
        except HomeportError as error:
            raise HomeportError(error.code, f"{path}: {error.detail}") from None
        key = spki_of(request.public_key)
        if serial_number in found or key in keys:
            detail = f"{path}: serial number or key occurs in another request too"
            raise HomeportError(Code.KEY_TAKEN, detail)
        found[serial_number] = request
        keys.add(key)
    return found


def refuse_known_keys(requests: Mapping[str, ProvenCsr], records: Iterable[Record]) -> None:
    """Raise KEY_TAKEN if a key was certified before for another device."""
    asked = {spki_of(request.public_key): serial for serial, request in requests.items()}
    for record in records:
        if isinstance(record, DeviceRecord):
            certified = spki_of(public_key_of(parse_certificate(record.idevid)))
            if asked.get(certified, record.serial_number) != record.serial_number:
                detail = f"the key of {asked[certified]} is that of {record.serial_number}"
                raise HomeportError(Code.KEY_TAKEN, detail)


def pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the private key in PKCS#8, DER, not encrypted."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _read_request(path: Path) -> tuple[str, ProvenCsr]:
    try:
        with path.open("rb") as file:
            content = file.read(REQUEST_MAX_BYTES)
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, error.strerror or "") from None
    try:
        if content.lstrip().startswith(b"-----"):
            content = x509.load_pem_x509_csr(content).public_bytes(Encoding.DER)
        proven = verify_request(content)
        subject = x509.load_der_x509_csr(content).subject
        names = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    except READ_ERRORS as error:
        raise MalformedError(str(error), Code.CSR_MALFORMED) from None
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise MalformedError("the subject has no serialNumber", Code.CSR_MALFORMED)
    check_serial_number(names[0].value)
    return names[0].value, proven
