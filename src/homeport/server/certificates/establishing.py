# SPDX-License-Identifier: Apache-2.0
"""Makes what is missing among the platform's keys and certificates, and renews what is due.

In an order in which a run that was killed at any instant is continued by the next: each key before
its certificate, each CA before what it certifies. A key that is there is never made anew, and no
root where something hangs on an earlier one.
"""

import logging
import secrets
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.ca import CertificateAuthority
from homeport.ca.drafts import Draft, domain_draft, server_draft
from homeport.ca.establish import make_intermediate, make_root
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, make_key, open_key
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.authority import Issuer
from homeport.pki.certificates import parse_certificate, pem_of
from homeport.pki.chains import verify_server
from homeport.server.certificates.files import replace_file
from homeport.server.certificates.places import (
    Intermediate,
    KeyPlaces,
    facts,
    is_due,
    load_chain,
    without_root,
)
from homeport.server.certificates.tls import TlsFiles, TlsPair, check_pair, read_pair
from homeport.telemetry import note

_logger: Final = logging.getLogger("homeport.keys")

NONCE_KEY_BYTES: Final = 32
"""As long as the hash of the HMAC (RFC 2104 section 3)."""

SERVER_FILE: Final = "server.pem"
NONCE_FILE: Final = "nonce.key"


class Establishing:
    """One run over the directory, by whoever holds its lock."""

    def __init__(self, places: KeyPlaces, now: datetime) -> None:
        """Take where and when."""
        self._places = places
        self._now = now

    def root(self) -> x509.Certificate:
        """Return the root; make one only at the very first run."""
        path = self._places.path("root.pem")
        if path.exists():
            return load_chain(path)[0]
        below = [name for name in Intermediate if self._places.path(f"{name}.pem").exists()]
        if below:
            # A new root would make strangers of all devices.
            raise HomeportError(Code.FILE_MISSING, f"{path}, although {below[0]}.pem is there")
        root = make_root(self._key("root"), self._name("root"), self._now)
        replace_file(path, pem_of(root))
        note(_logger, logging.INFO, "platform root made", **facts(root))
        return root

    def authority(self, name: Intermediate, root: x509.Certificate) -> CertificateAuthority:
        """Return an intermediate, certified by the root if it is not, or is due and can be."""
        path = self._places.path(f"{name}.pem")
        chain = load_chain(path) if path.exists() else ()
        key = self._key(name)
        if not chain or (is_due(chain[0], self._now) and has_root_key(self._places)):
            made = make_intermediate(
                self._signer(root, name),
                key.public_key(),
                self._name(name),
                name.purposes,
                self._now,
            )
            chain = (made, root)
            replace_file(path, pem_of(*chain))
            note(_logger, logging.INFO, "intermediate certified", **facts(made))
        return CertificateAuthority(chain, key)

    def domain(
        self, services: CertificateAuthority
    ) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
        """Return the key that signs answers, with certificate and chain."""
        path = self._places.path("domain.pem")
        key = self._key("domain")
        chain = load_chain(path) if path.exists() else ()
        has_key = bool(chain) and chain[0].public_key() == key.public_key()
        if not has_key or not self._stands(chain[0], services):
            draft = domain_draft(key.public_key(), self._places.names, self._now)
            chain = _certify(services, draft)
            replace_file(path, pem_of(*chain))
        return key, chain

    def server(self, services: CertificateAuthority) -> TlsPair:
        """Return the TLS key and certificate: the operator's if there is one, else ours."""
        path = self._places.path(SERVER_FILE)
        if self._places.tls is not None:
            pair = operators_pair(self._places.tls, self._places, self._now)
            replace_file(path, pair.pem())
            return pair
        if path.exists():
            pair = read_pair(TlsFiles(path, path))
            if self._stands(pair.leaf, services):
                return pair
        # A new key each time: nothing is pinned to it.
        key = ec.generate_private_key(ec.SECP256R1())
        draft = server_draft(key.public_key(), self._places.names, self._now)
        pair = TlsPair(_certify(services, draft), key)
        replace_file(path, pair.pem())
        return pair

    def nonce_key(self) -> bytes:
        """Return the key of the nonces."""
        path = self._places.path(NONCE_FILE)
        if not path.exists():
            replace_file(path, secrets.token_bytes(NONCE_KEY_BYTES))
        key = path.read_bytes()
        if len(key) != NONCE_KEY_BYTES:
            detail = f"{path} has {len(key)} bytes, not {NONCE_KEY_BYTES}: remove it"
            raise HomeportError(Code.SETTING_WRONG, detail)
        return key

    def _key(self, name: str) -> PrivateKey:
        uri = self._places.key_uri(name)
        try:
            return open_key(uri)
        except HomeportError as error:
            if error.code is not Code.KEY_MISSING:
                raise
        if self._places.path(f"{name}.pem").exists():
            # The certificate is there, so there was a key: perhaps a token that is not plugged in.
            detail = f"{uri.partition('?')[0]}, although {name}.pem is there"
            raise HomeportError(Code.KEY_MISSING, detail)
        note(_logger, logging.INFO, "key made", key=uri.partition("?")[0])
        return make_key(uri)

    def _signer(self, root: x509.Certificate, name: Intermediate) -> Issuer:
        if not has_root_key(self._places):
            detail = (
                f"the root's key is not here: homeport ca request {name}, have it signed by the "
                f"root, then homeport ca install {name} FILE"
            )
            raise HomeportError(Code.KEY_MISSING, detail)
        return Issuer(root, open_key(self._places.key_uri("root")))

    def _stands(self, leaf: x509.Certificate, services: CertificateAuthority) -> bool:
        is_ours = leaf.issuer == services.certificate.subject
        return is_ours and self._places.cover(leaf) and not is_due(leaf, self._now)

    def _name(self, kind: str) -> str:
        return f"Homeport {kind} {self._places.names[0]}"[:64]


def operators_pair(files: TlsFiles, places: KeyPlaces, now: datetime) -> TlsPair:
    """Read and check the operator's TLS files; raise FILE_MISSING or TLS_FILES_WRONG."""
    pair = read_pair(files)
    check_pair(pair, places.names, now)
    _check_believed(pair, places, now)
    return pair


def _check_believed(pair: TlsPair, places: KeyPlaces, now: datetime) -> None:
    """Refuse what our anchors do not prove: devices that were told these would never come back."""
    more = load_chain(places.tls_anchors) if places.tls_anchors else ()
    told = [load_chain(places.path("root.pem"))[0], *more]
    try:
        verify_server(pair.chain, Anchors(Purpose.PLATFORM, told), now)
    except HomeportError as error:
        detail = f"the certificate does not lead to a root in tls.anchors: {error.detail}"
        raise HomeportError(Code.TLS_FILES_WRONG, detail) from None


def has_root_key(places: KeyPlaces) -> bool:
    """Say whether the root's key is here; operators may take it offline."""
    return places.path("root.key").exists()


def _certify(services: CertificateAuthority, draft: Draft) -> tuple[x509.Certificate, ...]:
    """Issue a certificate of the platform's own; return it with its chain."""
    issued = services.issue(services.prepare(draft))
    return (parse_certificate(issued.certificate), *without_root(services.chain))
