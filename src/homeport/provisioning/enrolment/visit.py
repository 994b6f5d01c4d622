# SPDX-License-Identifier: Apache-2.0
"""One proven request at work in one transaction, and how it tells the timeline what it did."""

from dataclasses import dataclass
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.enrolment import ADVICE, Enrolment, Fact
from homeport.errors import CATALOGUE
from homeport.provisioning.enrolment.outcome import Refusal
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Issuer, Transaction
from homeport.provisioning.proof import ProvenRequest


@dataclass(frozen=True, slots=True)
class Visit:
    """A device at the door: its request, and what the verbs work with."""

    tx: Transaction
    proven: ProvenRequest
    issuer: Issuer
    policy: Policy
    now: datetime

    def event(self, name: Name, run: Enrolment | None = None, **facts: str) -> AuditEvent:
        """Return an event of this device, at this time, by the device itself."""
        return AuditEvent(
            name=name,
            at=self.now,
            actor="device",
            device=self.proven.device,
            enrolment=run.id if run else None,
            facts=facts,
        )

    def parked(self, run: Enrolment, fact: Fact) -> AuditEvent:
        """Return the event that says what is missing and who can supply it."""
        advice = ADVICE[fact].format(serial_number=self.proven.device.serial_number)
        return self.event(Name.ENROLMENT_PARKED, run, missing=fact, advice=advice)

    def refused(self, refusal: Refusal) -> AuditEvent:
        """Return the event that says why nothing was given."""
        entry = CATALOGUE[refusal.code]
        return self.event(
            Name.ENROLMENT_REFUSED,
            code=refusal.code,
            title=entry.title,
            advice=entry.advice,
            detail=refusal.detail,
            peer=self.proven.peer,
        )
