# SPDX-License-Identifier: Apache-2.0
"""The platform's own keys and certificates: made at the first run, renewed ever after.

```
root.key root.pem            platform root: what devices trust. The key may be taken offline
issuing.key issuing.pem      CA for devices (LDevIDs), and the chain above it
services.key services.pem    CA for the platform's own certificates, and the chain above it
domain.key domain.pem        signs answers; certificate and chain without the root
nonce.key                    32 bytes; makes nonces ours
server.pem                   TLS: key, certificate, chain. Read by listeners and broker
```
Every file is there whole or not at all, of mode 0600 in a directory of mode 0700, and written by
one process at a time. docs/operate/certificates.md tells operators what they may do with them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from homeport.ca import CertificateAuthority
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey
from homeport.pki.certificates import der_of, pem_of
from homeport.server.certificates.establishing import (
    SERVER_FILE,
    Establishing,
    has_root_key,
    operators_pair,
)
from homeport.server.certificates.files import (
    make_private_directory,
    only_writer,
    replace_file,
)
from homeport.server.certificates.places import (
    Intermediate,
    KeyPlaces,
    facts,
    is_due,
    load_chain,
)
from homeport.telemetry import DETAIL, note

_logger: Final = logging.getLogger("homeport.keys")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What was renewed."""

    tls: bool = False
    """Listeners and broker must read the file again."""
    domain: bool = False
    """Answers carry a new certificate from now on; the key may be the same."""
    issuing: bool = False
    """The CA for devices has a new certificate, with the same key."""

    def __bool__(self) -> bool:
        return self.tls or self.domain or self.issuing


@dataclass
class PlatformKeys:
    """All of them, open. What `refresh` says it changed must be read again."""

    places: KeyPlaces
    root: x509.Certificate
    issuing: CertificateAuthority
    services: CertificateAuthority
    domain_key: PrivateKey
    domain_chain: tuple[x509.Certificate, ...]
    """Without the root."""
    nonce_key: bytes = field(repr=False)
    server: x509.Certificate
    """The leaf that listeners serve."""
    operator_stamp: object = None
    """Of the operator's files, when they were taken."""
    _complaint: str = field(default="", init=False)

    @property
    def tls_file(self) -> Path:
        """PEM with private key and chain, for listeners and broker; replaced as a whole."""
        return self.places.path(SERVER_FILE)

    @property
    def issuing_file(self) -> Path:
        """PEM: the CA for devices first, and the chain above it."""
        return self.places.path(f"{Intermediate.ISSUING}.pem")

    def domain_x5c(self) -> tuple[bytes, ...]:
        """The domain certificate and its chain as DER, without the root."""
        return tuple(der_of(certificate) for certificate in self.domain_chain)

    def platform_anchors(self) -> tuple[x509.Certificate, ...]:
        """What devices must trust to believe this platform; raise FILE_MISSING."""
        more = self.places.tls_anchors
        return (self.root, *(load_chain(more) if more else ()))

    def platform_anchors_pem(self) -> bytes:
        """The same in PEM: `platform.pem` of factories and devices."""
        return pem_of(*self.platform_anchors())

    def expiries(self) -> Mapping[str, datetime]:
        """When each certificate ends, by its name, for metrics and readiness."""
        return {
            "root": self.root.not_valid_after_utc,
            "issuing": self.issuing.not_after,
            "services": self.services.not_after,
            "domain": self.domain_chain[0].not_valid_after_utc,
            "server": self.server.not_valid_after_utc,
        }

    def refresh(self, now: datetime) -> Refreshed:
        """Renew what is past two thirds of its life, and take what the operator has replaced.

        Costs two `stat` when there is nothing to do. An operator's pair that does not hold is
        logged and not taken; the present one stays. Raise as `open_platform_keys`.
        """
        renewed = Refreshed()
        if self._is_due(now):
            # What an operator's tool has broken must not keep our own from being renewed.
            present = self.server if self.places.tls else None
            renewed = self._adopt(_open(self.places, now, present))
        return replace(renewed, tls=self._take_operators(now) or renewed.tls)

    def _is_due(self, now: datetime) -> bool:
        ours = [self.domain_chain[0]]
        if self.places.tls is None:
            ours.append(self.server)
        if has_root_key(self.places):
            ours += [self.issuing.certificate, self.services.certificate]
        return any(is_due(certificate, now) for certificate in ours)

    def _adopt(self, other: "PlatformKeys") -> Refreshed:
        changed = Refreshed(
            tls=other.server != self.server,
            domain=other.domain_chain != self.domain_chain,
            issuing=other.issuing.certificate != self.issuing.certificate,
        )
        self.issuing, self.services = other.issuing, other.services
        self.domain_key, self.domain_chain = other.domain_key, other.domain_chain
        self.server = other.server
        return changed

    def _take_operators(self, now: datetime) -> bool:
        files = self.places.tls
        if files is None:
            return False
        try:
            stamp = files.stamp()
            if stamp == self.operator_stamp:
                return False
            pair = operators_pair(files, self.places, now)
        except HomeportError as error:
            # Also half-way through a replacement, so it is looked at again, but told once.
            if str(error) != self._complaint:
                note(_logger, logging.WARNING, "new TLS files not taken", **{DETAIL: str(error)})
            self._complaint = str(error)
            return False
        replace_file(self.tls_file, pair.pem())
        self.server, self.operator_stamp, self._complaint = pair.leaf, stamp, ""
        note(_logger, logging.INFO, "new TLS files taken", **facts(pair.leaf))
        return True


def open_platform_keys(places: KeyPlaces, now: datetime) -> PlatformKeys:
    """Open the platform's keys, and make or renew what is missing or due.

    Raise SETTING_WRONG (no name, directory open to others, key and certificate do not match),
    TLS_FILES_WRONG, FILE_MISSING, KEY_MISSING, KEY_STORE_UNAVAILABLE, STORAGE_UNAVAILABLE.
    """
    if not places.names:
        raise HomeportError(Code.SETTING_WRONG, "the platform needs a host name")
    # Before the files are read: a change after that is a change.
    stamp = places.tls.stamp() if places.tls else None
    return replace(_open(places, now, None), operator_stamp=stamp)


def _open(places: KeyPlaces, now: datetime, server: x509.Certificate | None) -> PlatformKeys:
    """Open, make and renew; leave the TLS file as it is if its certificate is given."""
    make_private_directory(places.directory)
    with only_writer(places.directory):
        run = Establishing(places, now)
        root = run.root()
        issuing = run.authority(Intermediate.ISSUING, root)
        services = run.authority(Intermediate.SERVICES, root)
        domain_key, domain_chain = run.domain(services)
        return PlatformKeys(
            places=places,
            root=root,
            issuing=issuing,
            services=services,
            domain_key=domain_key,
            domain_chain=domain_chain,
            nonce_key=run.nonce_key(),
            server=server or run.server(services).leaf,
        )
