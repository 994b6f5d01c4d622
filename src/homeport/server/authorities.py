# SPDX-License-Identifier: Apache-2.0
"""The trusted issuers of device identities, kept in memory for the door."""

from homeport.domain.audit import AuditEvent
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import parse_certificate
from homeport.provisioning.ports import Registry


class KnownAuthorities:
    """A copy of the registry's authorities; `refresh` when the trail tells of another."""

    def __init__(self, registry: Registry) -> None:
        """Begin with none."""
        self._registry = registry
        self._anchors = Anchors(Purpose.IDEVID, ())

    def anchors(self) -> Anchors:
        """Return the trust anchors for IDevIDs as they are now."""
        return self._anchors

    async def refresh(self, _event: AuditEvent | None = None) -> None:
        """Read them anew."""
        known = await self._registry.read(lambda tx: tx.authorities.all())
        certificates = [parse_certificate(authority.anchor) for authority in known]
        self._anchors = Anchors(Purpose.IDEVID, certificates)
