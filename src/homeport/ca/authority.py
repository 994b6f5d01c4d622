# SPDX-License-Identifier: Apache-2.0
"""A certification authority at work: prepare, then issue.

Two steps, as in Let's Encrypt's boulder (`issuance/cert.go`): `prepare` runs the checks, fixes
every byte that will be signed and notes it; only its ticket can be issued, and once. So whatever
happens between the two steps, no certificate exists that was not checked and recorded, and a crash
cannot leave one of which nobody knows the number.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homeport.ca.checks import CHECKS, Plan
from homeport.ca.drafts import Draft
from homeport.ca.profiles import Profile
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey
from homeport.pki.authority import LEAF_KEY_USAGE, Issuer, Revocation, build_crl
from homeport.pki.certificates import der_of, public_key_of
from homeport.provisioning.ports import IssuedCertificate
from homeport.telemetry import CERTIFICATE, PROFILE, note

_DER: Final = Encoding.DER
_logger: Final = logging.getLogger("homeport.ca")


class Ticket:
    """Permission to sign one certificate, once. Only `CertificateAuthority.prepare` makes it."""

    def __init__(
        self,
        plan: Plan,
        serial_number: int,
        key_identifier: bytes,
        unsigned: x509.CertificateBuilder,
    ) -> None:
        """Take the checked plan and what will be signed."""
        self.profile: Final = plan.draft.profile.name
        self.about: Final = plan.draft.about
        self.serial_number: Final = serial_number
        self.key_identifier: Final = key_identifier
        self.not_before: Final = plan.not_before
        self.not_after: Final = plan.not_after
        self._unsigned = [unsigned]

    def spend(self) -> x509.CertificateBuilder:
        """Take out what will be signed; raise INTERNAL_ERROR the second time."""
        try:
            return self._unsigned.pop()  # atomic between threads
        except IndexError:
            detail = f"the ticket for certificate {self.serial_number:x} was used before"
            raise HomeportError(Code.INTERNAL_ERROR, detail) from None


def note_ticket(ticket: Ticket) -> None:
    """Log what is about to be signed, where such detail is wanted.

    The lasting record of a certificate is the audit event in the transaction that keeps it.
    """
    if _logger.isEnabledFor(logging.DEBUG):
        fields = {
            PROFILE: ticket.profile,
            CERTIFICATE: f"{ticket.serial_number:x}",
            "subject": ticket.about,
            "key": ticket.key_identifier.hex(),
            "not_after": ticket.not_after.isoformat(),
        }
        note(_logger, logging.DEBUG, "certificate prepared", **fields)


class CertificateAuthority:
    """One CA certificate with its key and the chain above it."""

    def __init__(
        self,
        chain: Sequence[x509.Certificate],
        key: PrivateKey,
        record: Callable[[Ticket], None] = note_ticket,
    ) -> None:
        """Take the CA's certificate and those above it, its key, and who notes each ticket.

        Raise SETTING_WRONG if the key is not the certificate's.
        """
        self._issuer = Issuer(chain[0], key)
        self._record = record
        self.chain: Final = tuple(chain)
        self._not_before = chain[0].not_valid_before_utc
        self._not_after = chain[0].not_valid_after_utc
        self._keys = tuple(public_key_of(certificate) for certificate in chain)
        self._shared: dict[str, list[x509.Extension[x509.ExtensionType]]] = {}

    @property
    def certificate(self) -> x509.Certificate:
        """Its own certificate."""
        return self._issuer.certificate

    @property
    def not_after(self) -> datetime:
        """The end of its own certificate, which nothing that it issues outlives."""
        return self._not_after

    def prepare(self, draft: Draft) -> Ticket:
        """Check, fix and note what will be signed.

        Raise KEY_UNSUITABLE or PROFILE_REFUSED if a check fails.
        """
        plan = self._plan(draft)
        for check in CHECKS:
            check(plan)
        identifier = x509.SubjectKeyIdentifier.from_public_key(draft.public_key)
        serial_number = x509.random_serial_number()
        unsigned = self._unsigned(plan, serial_number, identifier)
        ticket = Ticket(plan, serial_number, identifier.digest, unsigned)
        self._record(ticket)
        return ticket

    def issue(self, ticket: Ticket) -> IssuedCertificate:
        """Sign what was prepared.

        Raise INTERNAL_ERROR if the ticket was used, KEY_STORE_UNAVAILABLE if the key's place does
        not answer (the ticket is spent then; prepare another).
        """
        certificate = ticket.spend().sign(self._issuer.crypto_key, self._issuer.hash)
        der = der_of(certificate)
        return IssuedCertificate(
            certificate=der,
            fingerprint=hashlib.sha256(der).hexdigest(),
            serial_number=ticket.serial_number,
            not_before=ticket.not_before,
            not_after=ticket.not_after,
        )

    def revocation_list(
        self, revocations: Iterable[Revocation], now: datetime, until: datetime, number: int
    ) -> bytes:
        """Sign a revocation list (RFC 5280 section 5), DER."""
        crl = build_crl(self._issuer, revocations, now, until, number)
        return crl.public_bytes(_DER)

    def _plan(self, draft: Draft) -> Plan:
        # X.509 has whole seconds.
        now = draft.now.replace(microsecond=0)
        return Plan(
            draft=draft,
            not_before=max(now - draft.profile.backdate, self._not_before),
            not_after=min(now + draft.profile.lifetime, self._not_after),
            ca_not_before=self._not_before,
            ca_not_after=self._not_after,
            ca_keys=self._keys,
        )

    def _unsigned(
        self, plan: Plan, serial_number: int, identifier: x509.SubjectKeyIdentifier
    ) -> x509.CertificateBuilder:
        draft = plan.draft
        # By the constructor: the builder's methods copy all that is there for each thing added,
        # which took as long as the signature (83 µs a certificate against 48).
        return x509.CertificateBuilder(
            issuer_name=self._issuer.name,
            subject_name=draft.subject,
            public_key=draft.public_key,
            serial_number=serial_number,
            not_valid_before=_naive(plan.not_before),
            not_valid_after=_naive(plan.not_after),
            extensions=[
                *self._shared_extensions(draft.profile),
                x509.Extension(identifier.oid, False, identifier),  # noqa: FBT003
                x509.Extension(draft.alternative_names.oid, False, draft.alternative_names),  # noqa: FBT003
            ],
        )

    def _shared_extensions(self, profile: Profile) -> list[x509.Extension[x509.ExtensionType]]:
        found = self._shared.get(profile.name)
        if found is None:
            identifier = self._issuer.key_identifier
            found = self._shared[profile.name] = [
                x509.Extension(identifier.oid, False, identifier),  # noqa: FBT003
                x509.Extension(LEAF_KEY_USAGE.oid, True, LEAF_KEY_USAGE),  # noqa: FBT003
                x509.Extension(profile.usage.oid, False, profile.usage),  # noqa: FBT003
            ]
        return found


def _naive(time: datetime) -> datetime:
    """What the constructor wants: UTC without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)
