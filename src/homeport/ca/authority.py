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
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homeport.ca.checks import CHECKS, Plan
from homeport.ca.drafts import Draft
from homeport.ca.profiles import Profile
from homeport.ca.stencil import Seal, Stencil
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey
from homeport.pki.authority import Issuer, Revocation, build_crl
from homeport.pki.certificates import public_key_of
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
        unsigned: bytes,
    ) -> None:
        """Take the checked plan and what will be signed."""
        self.profile: Final = plan.draft.profile.name
        self.about: Final = plan.draft.about
        self.serial_number: Final = serial_number
        self.key_identifier: Final = key_identifier
        self.not_before: Final = plan.not_before
        self.not_after: Final = plan.not_after
        self._unsigned = [unsigned]

    def spend(self) -> bytes:
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
        self._seal = Seal(self._issuer)
        self._record = record
        self.chain: Final = tuple(chain)
        self._not_before = chain[0].not_valid_before_utc
        self._not_after = chain[0].not_valid_after_utc
        self._keys = tuple(public_key_of(certificate) for certificate in chain)
        self._stencils: dict[str, Stencil] = {}

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
        unsigned = self._stencil(draft.profile).unsigned(plan, serial_number, identifier)
        ticket = Ticket(plan, serial_number, identifier.digest, unsigned)
        self._record(ticket)
        return ticket

    def issue(self, ticket: Ticket) -> IssuedCertificate:
        """Sign what was prepared.

        Raise INTERNAL_ERROR if the ticket was used, KEY_STORE_UNAVAILABLE if the key's place does
        not answer (the ticket is spent then; prepare another).
        """
        certificate = self._seal.sign(ticket.spend())
        return IssuedCertificate(
            certificate=certificate,
            fingerprint=hashlib.sha256(certificate).hexdigest(),
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

    def _stencil(self, profile: Profile) -> Stencil:
        found = self._stencils.get(profile.name)
        if found is None:
            found = self._stencils[profile.name] = Stencil(
                self._issuer, self._seal.algorithm, profile.usage
            )
        return found
