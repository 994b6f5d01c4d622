# SPDX-License-Identifier: Apache-2.0
"""One proven request at work in one transaction, and how it tells the timeline what it did."""

from dataclasses import dataclass, field
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.enrolment import Enrolment, Fact, advice_on
from homeport.errors import CATALOGUE
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Issuer, Transaction
from homeport.provisioning.proof import ProvenRequest
from homeport.provisioning.refusal import Refusal


@dataclass(slots=True)
class Visit:
    """A device at the door: its request, and what the verbs work with."""

    tx: Transaction
    proven: ProvenRequest
    issuer: Issuer
    policy: Policy
    now: datetime
    tenant: str | None = None
    """Whose affair it is, once the owner is known."""
    events: list[AuditEvent] = field(default_factory=list)
    """What to record, in order, when the verb ends: one write for all."""

    def tell(self, name: Name, run: Enrolment | None = None, **facts: str) -> None:
        """Note an event of this device, at this time, by the device itself."""
        event = AuditEvent(
            name=name,
            at=self.now,
            actor="device",
            tenant=self.tenant,
            device=self.proven.device,
            enrolment=run.id if run else None,
            facts=facts,
        )
        self.events.append(event)

    def tell_parked(self, run: Enrolment, fact: Fact) -> None:
        """Note what is missing and who can supply it."""
        advice = advice_on(fact, self.proven.device)
        self.tell(Name.ENROLMENT_PARKED, run, missing=fact, advice=advice)

    def tell_refused(self, refusal: Refusal) -> None:
        """Note why nothing was given."""
        entry = CATALOGUE[refusal.code]
        self.tell(
            Name.ENROLMENT_REFUSED,
            code=refusal.code,
            title=entry.title,
            advice=entry.advice,
            detail=refusal.detail,
            peer=self.proven.peer,
        )
