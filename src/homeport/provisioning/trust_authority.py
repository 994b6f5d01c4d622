# SPDX-License-Identifier: Apache-2.0
"""Trust one more issuer of device identities, before its first manifest is imported."""

from datetime import datetime

from cryptography import x509

from homeport.domain.audit import AuditEvent, Name
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import authority_id, der_of
from homeport.provisioning.ports import Authority, Transaction


async def trust_authority(
    tx: Transaction, anchor: x509.Certificate, name: str, *, actor: str, now: datetime
) -> Authority:
    """Trust the holder of this certificate's key; ALREADY_EXISTS, MalformedError."""
    authority = Authority(id=authority_id(anchor), name=name, anchor=der_of(anchor), trusted_at=now)
    if await tx.authorities.get(authority.id) is not None:
        raise HomeportError(Code.ALREADY_EXISTS, f"authority {authority.id}")
    await tx.authorities.add(authority)
    facts: dict[str, str | int] = {"authority": authority.id, "name": name}
    await tx.audit.record(AuditEvent(name=Name.AUTHORITY_TRUSTED, at=now, actor=actor, facts=facts))
    return authority
