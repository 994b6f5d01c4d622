# SPDX-License-Identifier: Apache-2.0
"""TLS certificates and keys as files: those that an operator gives, and those that listeners read.

Listeners read *one* file with private key and chain, which is replaced as a whole: an operator's
tool (certbot, lego, acme.sh, cert-manager) replaces certificate and key one after the other, and a
listener that reads between the two would serve nothing any more. So the operator's pair is read,
checked and copied, and a pair that does not hold is not taken while the present one works.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.errors import Code, HomeportError
from homeport.keys import CryptoKey, suitable
from homeport.pki.certificates import (
    extension_of,
    load_bundle,
    pem_of,
    public_key_of,
    spki_of,
)

FILE_LIMIT: Final = 1_048_576
"""Bytes; a chain takes 10 kB."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where an operator puts certificate chain (PEM, leaf first) and private key (PEM)."""

    certificate: Path
    key: Path

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Something that changes when a file does. Raise FILE_MISSING.

        Links are followed: certbot and Kubernetes replace links, not files.
        """
        return tuple(_stamp(path) for path in (self.certificate, self.key))


@dataclass(frozen=True, slots=True)
class TlsPair:
    """A certificate chain with its key, shown to belong together. `read_pair` makes it."""

    chain: tuple[x509.Certificate, ...]
    key: CryptoKey

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    def pem(self) -> bytes:
        """Return the one file that listeners read: key, then chain. It is a secret."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return key + pem_of(*self.chain)


def read_pair(files: TlsFiles) -> TlsPair:
    """Read certificate chain and key, and check that they belong together.

    Raise FILE_MISSING, or TLS_FILES_WRONG that says which file is wrong and how.
    """
    try:
        chain = tuple(load_bundle(_read(files.certificate)))
        public_key = public_key_of(chain[0])
    except HomeportError as error:
        if error.code is Code.FILE_MISSING:
            raise
        raise _wrong(f"{files.certificate}: {error}") from None
    key = _load_key(files.key)
    if spki_of(key.public_key()) != spki_of(public_key):
        raise _wrong(f"{files.key} is not the key of the certificate in {files.certificate}")
    return TlsPair(chain, key)


def check_pair(pair: TlsPair, names: Sequence[str], now: datetime) -> None:
    """Check that devices will believe the leaf: now, as a server, by each of the names.

    Raise TLS_FILES_WRONG.
    """
    leaf = pair.leaf
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        raise _wrong(f"the certificate is valid from {start:%Y-%m-%d} to {end:%Y-%m-%d}")
    usage = extension_of(leaf, x509.ExtendedKeyUsage)
    if usage is not None and ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        raise _wrong("the certificate is not for TLS servers (extended key usage)")
    missing = [name for name in names if not covers(leaf, name)]
    if missing:
        raise _wrong(f"the certificate does not name {', '.join(missing)}")


def covers(leaf: x509.Certificate, name: str) -> bool:
    """Say whether the subjectAltName holds the DNS name (RFC 6125 section 6.4) or IP address."""
    names = extension_of(leaf, x509.SubjectAlternativeName)
    if names is None:
        return False
    try:
        return ipaddress.ip_address(name) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = name.rstrip(".").lower()
    # A wildcard stands for one whole label, the leftmost.
    wildcard = "*." + wanted.partition(".")[2]
    found = {host.lower() for host in names.get_values_for_type(x509.DNSName)}
    return wanted in found or wildcard in found


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    if len(content) > FILE_LIMIT:
        raise _wrong(f"{path} is larger than {FILE_LIMIT} bytes")
    return content


def _load_key(path: Path) -> CryptoKey:
    try:
        key = serialization.load_pem_private_key(_read(path), None)
        suitable(key.public_key())
    except TypeError:
        raise _wrong(f"{path} is encrypted; give it without a passphrase, mode 0600") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong(f"{path} is not a private key in PEM") from None
    except HomeportError as error:
        if error.code is Code.FILE_MISSING:
            raise
        raise _wrong(f"{path}: {error}") from None
    return key  # type: ignore[return-value]  # `suitable` has said so


def _wrong(detail: str) -> HomeportError:
    return HomeportError(Code.TLS_FILES_WRONG, detail)
