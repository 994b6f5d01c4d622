# SPDX-License-Identifier: Apache-2.0
"""A device's twin: what it is told (`desired`) and what it says of itself (`reported`).

Rules: the version of what it is told grows by one with every change, of the settings or of the
context that travels with them, and never runs backwards in the device's whole life, whoever owns
it. What it says comes in *series*: within one the counter grows; a new series (another connection,
a device that forgot) counts if the broker took it later than the last one. So a repetition changes
nothing, whoever repeats it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

from homeport.domain.context.document import Document, check_document
from homeport.domain.context.merge_patch import merge
from homeport.domain.device import DeviceId

VERSION_MAX: Final = 2**53 - 1
"""Exact in every JSON reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One message of a device about itself."""

    series: str
    counter: int
    document: Document | None = None
    """All that there is to say."""
    patch: Document | None = None
    """What has changed since the message before."""
    applied: int | None = None
    """The version that the device has taken into use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The twin of one device."""

    device: DeviceId
    tenant: str | None
    """In whose hands; None: nobody's, and only the version is remembered."""
    desired: Document = field(default_factory=dict)
    version: int = 0
    """Of what the device is told; 0: nothing yet."""
    changed_at: datetime
    pushed: int = 0
    """The version that the broker has."""
    kept_for: str | None = None
    """The tenant below whose topics the broker keeps it; None: it keeps nothing."""
    reported: Document = field(default_factory=dict)
    reported_at: datetime | None = None
    series: str = ""
    counter: int = 0
    applied: int = 0
    """The version that the device says it has taken into use; 0: none."""

    def told(self, desired: Document, now: datetime) -> Self:
        """Return it with other settings, or the same with another context: a new version."""
        return replace(self, desired=desired, version=self.version + 1, changed_at=now)

    def forgotten(self, now: datetime) -> Self:
        """Return what outlives an owner: the version, and what the broker must be told."""
        return replace(
            self,
            tenant=None,
            desired={},
            version=self.version + 1,
            changed_at=now,
            reported={},
            reported_at=None,
            series="",
            counter=0,
            applied=0,
        )

    def as_pushed(self, version: int, tenant: str | None) -> Self:
        """Return it after the broker took this version for the tenant."""
        return replace(self, pushed=version, kept_for=tenant)

    def is_news(self, report: Report, at: datetime) -> bool:
        """Whether the report says something that was not taken before."""
        if report.series == self.series:
            return report.counter > self.counter
        return self.reported_at is None or at > self.reported_at

    def after(self, report: Report, at: datetime) -> Self:
        """Return it with the report taken; MalformedError if the result is no document.

        A device cannot have applied what it was never told: such a claim is passed over.
        """
        if report.document is not None:
            reported = check_document(report.document, "reported")
        else:
            reported = check_document(merge(self.reported, report.patch or {}), "reported")
        return replace(
            self,
            reported=reported,
            reported_at=at,
            series=report.series,
            counter=report.counter,
            applied=self._believed(report.applied),
        )

    def _believed(self, applied: int | None) -> int:
        return self.applied if applied is None or applied > self.version else applied
