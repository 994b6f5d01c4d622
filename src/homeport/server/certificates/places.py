# SPDX-License-Identifier: Apache-2.0
"""Where the platform's keys and certificates are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from homeport.ca.establish import Purposes
from homeport.domain.credential import renewal_time
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import extension_of, load_bundle
from homeport.server.certificates.tls import FILE_LIMIT, TlsFiles, covers


class Intermediate(StrEnum):
    """The CAs between the root and the leaves; the value is the stem of their files."""

    ISSUING = "issuing"  # certifies devices
    SERVICES = "services"  # certifies the platform's own TLS server and domain key

    @property
    def purposes(self) -> Purposes:
        """What their leaves are for."""
        return Purposes.DEVICES if self is Intermediate.ISSUING else Purposes.SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlaces:
    """Where the platform's keys are, and by which names it is known."""

    directory: Path
    names: tuple[str, ...]
    """DNS names and IP addresses; the first is the one that devices are pinned to."""
    issuing_key: str = ""
    """URI; empty: a file in the directory."""
    tls: TlsFiles | None = None
    """The operator's own TLS certificate; None: made here."""
    tls_anchors: Path | None = None
    """PEM: what devices need to trust the operator's certificate, if it is not under our root."""

    def path(self, name: str) -> Path:
        """Return the path of one of our files."""
        return self.directory / name

    def key_uri(self, name: str) -> str:
        """Return the URI of the key "root", "issuing", "services" or "domain"."""
        if name == Intermediate.ISSUING and self.issuing_key:
            return self.issuing_key
        return f"file:{self.path(f'{name}.key').resolve()}"

    def cover(self, leaf: x509.Certificate) -> bool:
        """Say whether the certificate holds all our names."""
        return all(covers(leaf, name) for name in self.names)


def load_chain(path: Path) -> tuple[x509.Certificate, ...]:
    """Read a PEM file of ours; raise FILE_MISSING or CERTIFICATE_MALFORMED with its name."""
    try:
        with path.open("rb") as file:
            return tuple(load_bundle(file.read(FILE_LIMIT)))
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    except HomeportError as error:
        raise HomeportError(error.code, f"{path}: {error.detail}") from None


def present_name(directory: Path) -> str:
    """Return the name that the platform's own certificates are for; empty before the first run."""
    try:
        names = extension_of(load_chain(directory / "domain.pem")[0], x509.SubjectAlternativeName)
    except HomeportError:
        return ""  # None yet; or it cannot be read, which opening the keys will say.
    return str(next(iter(names)).value) if names else ""


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Say whether it is to be renewed: past two thirds of its life, or made by a wrong clock."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < start or now >= renewal_time(start, end)


def facts(certificate: x509.Certificate) -> dict[str, object]:
    """What logs say of a certificate."""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "certificate": f"{certificate.serial_number:x}",
        "not_after": certificate.not_valid_after_utc.isoformat(),
    }


def without_root(chain: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Drop what is self-signed: others verify with it, so sending it proves nothing."""
    return tuple(found for found in chain if found.issuer != found.subject)
