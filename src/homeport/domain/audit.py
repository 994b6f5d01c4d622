# SPDX-License-Identifier: Apache-2.0
"""What is recorded: one row a fact, with time, actor and subject. A device's rows are its timeline.

The row is written in the same transaction as the change that it tells of. Names never change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from homeport.domain.device import DeviceId


class Name(StrEnum):
    """`subject:action`, in the past tense."""

    AUTHORITY_TRUSTED = "authority:trusted"
    MANIFEST_IMPORTED = "manifest:imported"
    TENANT_ADDED = "tenant:added"
    UPSTREAM_ADDED = "upstream:added"
    SALES_IMPORTED = "sales:imported"
    VOUCHER_IMPORTED = "voucher:imported"
    DEVICE_REGISTERED = "device:registered"
    DEVICE_ASSIGNED = "device:assigned"
    ENROLMENT_STARTED = "enrolment:started"
    ENROLMENT_PARKED = "enrolment:parked"
    ENROLMENT_RESUMED = "enrolment:resumed"
    ENROLMENT_REDIRECTED = "enrolment:redirected"
    ENROLMENT_COMPLETED = "enrolment:completed"
    ENROLMENT_REFUSED = "enrolment:refused"
    ENROLMENT_SUPERSEDED = "enrolment:superseded"
    CANDIDATE_ACCEPTED = "candidate:accepted"
    CANDIDATE_REFUSED = "candidate:refused"
    CREDENTIAL_ISSUED = "credential:issued"
    CREDENTIAL_RENEWED = "credential:renewed"
    RENEWAL_REFUSED = "renewal:refused"
    CREDENTIAL_REPLACED = "credential:replaced"
    CREDENTIAL_REVOKED = "credential:revoked"
    DEVICE_BARRED = "device:barred"
    DEVICE_READMITTED = "device:readmitted"
    ACCOUNT_ADDED = "account:added"
    ACCOUNT_DISABLED = "account:disabled"
    ACCOUNT_ENABLED = "account:enabled"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - the word, not one
    SESSION_STARTED = "session:started"
    SESSION_REFUSED = "session:refused"
    SESSION_ENDED = "session:ended"
    IDENTITY_LINKED = "identity:linked"
    IDENTITY_UNLINKED = "identity:unlinked"
    TENANT_CHANGED = "tenant:changed"
    INVITATION_MADE = "invitation:made"
    INVITATION_REVOKED = "invitation:revoked"
    MEMBER_JOINED = "member:joined"
    MEMBER_CHANGED = "member:changed"
    MEMBER_REMOVED = "member:removed"
    API_KEY_MADE = "api-key:made"
    API_KEY_REVOKED = "api-key:revoked"
    DEVICE_CLAIMED = "device:claimed"
    CLAIM_CONFIRMED = "claim:confirmed"
    CLAIM_WITHDRAWN = "claim:withdrawn"
    CLAIM_OVERRULED = "claim:overruled"
    CLAIM_REFUSED = "claim:refused"
    CLAIM_CODE_MADE = "claim-code:made"
    SALE_CORRECTED = "sale:corrected"
    SALE_CANCELLED = "sale:cancelled"
    PRESENCE_SHOWN = "presence:shown"
    TRANSFER_OFFERED = "transfer:offered"
    TRANSFER_ANNOUNCED = "transfer:announced"
    TRANSFER_ACCEPTED = "transfer:accepted"
    TRANSFER_DECLINED = "transfer:declined"
    TRANSFER_WITHDRAWN = "transfer:withdrawn"
    TRANSFER_EXPIRED = "transfer:expired"
    DEVICE_TRANSFERRED = "device:transferred"
    OWNER_CONFIRMED = "owner:confirmed"
    DEVICE_DECOMMISSIONED = "device:decommissioned"
    DEVICE_RECOMMISSIONED = "device:recommissioned"
    DEVICE_REPLACED = "device:replaced"
    DEVICE_TOOK_PLACE = "device:took-place"
    REPLACEMENT_UNDONE = "replacement:undone"
    DEVICE_QUARANTINED = "device:quarantined"
    DEVICE_RELEASED = "device:released"
    COMMAND_ASKED = "command:asked"
    COMMAND_OBEYED = "command:obeyed"
    COMMAND_REFUSED = "command:refused"
    COMMAND_EXPIRED = "command:expired"
    COMMAND_WITHDRAWN = "command:withdrawn"
    CONTEXT_CHANGED = "context:changed"
    CONTEXT_FORGOTTEN = "context:forgotten"
    TWIN_CHANGED = "twin:changed"
    TWIN_APPLIED = "twin:applied"
    SCHEMA_CHANGED = "schema:changed"


STORY: Final[Mapping[Name, str]] = {
    Name.AUTHORITY_TRUSTED: "{name} became a trusted issuer of device identities",
    Name.MANIFEST_IMPORTED: "a hand-over manifest with {count} devices was imported",
    Name.TENANT_ADDED: "tenant {tenant} was added",
    Name.UPSTREAM_ADDED: "upstream {upstream} was added",
    Name.SALES_IMPORTED: "{count} sales records were imported from {source}",
    Name.VOUCHER_IMPORTED: "a voucher for {upstream} was imported",
    Name.DEVICE_REGISTERED: "registered as {model}, before or at its first contact ({source})",
    Name.DEVICE_ASSIGNED: "belongs to {tenant}, goes to upstream {upstream} ({source})",
    Name.ENROLMENT_STARTED: "proved who it is and asked for its place (from {peer})",
    Name.ENROLMENT_PARKED: "waits: the {missing} is missing",
    Name.ENROLMENT_RESUMED: "goes on: {fact} is known now",
    Name.ENROLMENT_REDIRECTED: "was sent to {url}, with a voucher",
    Name.ENROLMENT_COMPLETED: "arrived: its first message is at {upstream}",
    Name.ENROLMENT_REFUSED: "was refused: {title} {advice}",
    Name.ENROLMENT_SUPERSEDED: "began anew with another key; the earlier run ends here",
    Name.CANDIDATE_ACCEPTED: "its second key was accepted by {actor}",
    Name.CANDIDATE_REFUSED: "its second key was refused by {actor}",
    Name.CREDENTIAL_ISSUED: "received its operational certificate, valid until {not_after}",
    Name.CREDENTIAL_RENEWED: "renewed its operational certificate, valid until {not_after}",
    Name.RENEWAL_REFUSED: "was refused a renewal: {title} {advice}",
    Name.CREDENTIAL_REPLACED: "uses its new certificate; the earlier one no longer counts",
    Name.CREDENTIAL_REVOKED: "lost its operational certificate: {reason}",
    Name.DEVICE_BARRED: "was barred by {actor}, before it had a certificate: {reason}",
    Name.DEVICE_READMITTED: "may enrol again, with a new key",
    Name.ACCOUNT_ADDED: "account {account} was made ({way})",
    Name.ACCOUNT_DISABLED: "account {account} was disabled, its {sessions} sessions ended",
    Name.ACCOUNT_ENABLED: "account {account} may sign in again",
    Name.PASSWORD_CHANGED: "the password of {account} was changed, {sessions} sessions ended",
    Name.SESSION_STARTED: "{account} signed in from {source} ({way})",
    Name.SESSION_REFUSED: "a sign-in as {account} from {source} was refused: {reason}",
    Name.SESSION_ENDED: "{account} ended {sessions} of its sessions",
    Name.IDENTITY_LINKED: "{account} signs in at {issuer} from now on",
    Name.IDENTITY_UNLINKED: "{account} signs in at {issuer} no longer",
    Name.TENANT_CHANGED: "tenant {tenant}: title {title}, default upstream {upstream}",
    Name.INVITATION_MADE: "{name} was invited ({purpose} {role})",
    Name.INVITATION_REVOKED: "the invitation of {name} was revoked",
    Name.MEMBER_JOINED: "{account} joined as {role}",
    Name.MEMBER_CHANGED: "{account} is {role} now, was {former}",
    Name.MEMBER_REMOVED: "{account}, who was {role}, is no member any more",
    Name.API_KEY_MADE: "API key {prefix} ({title}) was made for {scopes}",
    Name.API_KEY_REVOKED: "API key {prefix} ({title}) was revoked",
    Name.DEVICE_CLAIMED: "was claimed for {tenant} by {actor}, with its code; the device confirms",
    Name.CLAIM_CONFIRMED: "confirmed the claim: belongs to {tenant}, goes to upstream {upstream}",
    Name.CLAIM_WITHDRAWN: "the claim of {tenant} was withdrawn by {actor}",
    Name.CLAIM_OVERRULED: "the claim of {tenant} ended: {reason}",
    Name.CLAIM_REFUSED: "a claim of {serial_number} was refused",
    Name.CLAIM_CODE_MADE: "{actor} made a fresh claim code; earlier ones are worthless",
    Name.SALE_CORRECTED: "left {tenant} before it arrived: its sale was corrected ({source})",
    Name.SALE_CANCELLED: "left {tenant} before it arrived: its sale was cancelled ({source})",
    Name.PRESENCE_SHOWN: "belongs to {tenant}, goes to upstream {upstream}: {actor} stood there",
    Name.TRANSFER_OFFERED: "was offered to {buyer}, until {until}",
    Name.TRANSFER_ANNOUNCED: "is offered to {buyer} by {seller}, until {until}",
    Name.TRANSFER_ACCEPTED: "left: {buyer} has accepted it",
    Name.TRANSFER_DECLINED: "stays: {buyer} has declined it",
    Name.TRANSFER_WITHDRAWN: "stays: the offer to {buyer} was withdrawn",
    Name.TRANSFER_EXPIRED: "stays: {buyer} has not accepted it in time",
    Name.DEVICE_TRANSFERRED: "belongs to {tenant}, goes to upstream {upstream} ({source})",
    Name.OWNER_CONFIRMED: "has come over to its new owner",
    Name.DEVICE_DECOMMISSIONED: "was decommissioned by {actor}",
    Name.DEVICE_RECOMMISSIONED: "was taken back into use by {actor}",
    Name.DEVICE_REPLACED: "was replaced by {other}",
    Name.DEVICE_TOOK_PLACE: "took the place of {other}",
    Name.REPLACEMENT_UNDONE: "is where it was before: its exchange with {other} was undone",
    Name.DEVICE_QUARANTINED: "was put into quarantine by {actor}: {reason}",
    Name.DEVICE_RELEASED: "was released from quarantine by {actor}",
    Name.COMMAND_ASKED: "was asked by {actor} to {order}, until {until}",
    Name.COMMAND_OBEYED: "did what it was asked: {order}",
    Name.COMMAND_REFUSED: "did not {order}: {reason}",
    Name.COMMAND_EXPIRED: "was not heard of in time to {order}",
    Name.COMMAND_WITHDRAWN: "need not {order} any more: {actor} took it back",
    Name.CONTEXT_CHANGED: "its {what} changed (version {version} of its context)",
    Name.CONTEXT_FORGOTTEN: "its name, tags, location, attributes and settings were forgotten",
    Name.TWIN_CHANGED: "was given other settings (version {version})",
    Name.TWIN_APPLIED: "has taken version {version} of its settings into use",
    Name.SCHEMA_CHANGED: "the schema of {model} changed (version {version})",
}
"""How each is told to people; the fields in braces stand in the event's facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One fact, recorded."""

    name: Name
    at: datetime
    actor: str
    """Who did it: "device", "platform", "broker", or a person's or program's name."""
    tenant: str | None = None
    """Whose affair it was then: only this tenant sees it, whoever owns the device later. None: the
    platform's own, or of a device that had no owner yet."""
    device: DeviceId | None = None
    enrolment: str | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """Particulars, by the names of STORY."""
    cursor: int = 0
    """Place in the trail, given by the registry; grows by one or more with every event."""

    def story(self) -> str:
        """The fact as a clause about the device."""
        return STORY[self.name].format_map(_Missing(self.facts, actor=self.actor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are asked for; what is not said does not matter."""

    tenants: frozenset[str] | None = None
    """What these tenants see: their own events, and those without a tenant of devices that are
    theirs now. None: everything."""
    devices_only_of: frozenset[str] = frozenset()
    """Of these of the tenants only what is about a device."""
    device: DeviceId | None = None
    names: frozenset[Name] = frozenset()
    actor: str | None = None
    since: datetime | None = None

    def holds(self, event: AuditEvent, owner: str | None) -> bool:
        """Say whether the event is wanted; `owner` is its device's tenant now."""
        viewer = event.tenant if event.tenant is not None else owner
        return (
            (self.tenants is None or viewer in self.tenants)
            and (event.device is not None or viewer not in self.devices_only_of)
            and self.device in (None, event.device)
            and (not self.names or event.name in self.names)
            and self.actor in (None, event.actor)
            and (self.since is None or event.at >= self.since)
        )


class _Missing(dict[str, str | int]):
    """An older event may lack a field that today's sentence has: show a dash, never fail."""

    def __missing__(self, key: str) -> str:
        return "–"
