# SPDX-License-Identifier: Apache-2.0
"""Admit the holder of an operational certificate at the broker, or say why not.

The private key was shown in the TLS handshake. What is asked here is whether the certificate still
counts: known, current, unexpired, of the device that the MQTT client id names, and of its present
owner; and whether it is in quarantine. Reads only, one look-up by fingerprint and two by device: it
runs on every connect.
"""

from dataclasses import dataclass
from datetime import datetime

from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A device that may come in."""

    device: DeviceId
    tenant: str
    """Its owner: the second level of its topics."""
    fingerprint: str
    not_after: datetime
    """End of the certificate; the connection ends then at the latest."""
    is_held: bool = False
    """Whether it is in quarantine: it may speak with the platform, and with nobody else."""


async def admit(tx: Transaction, *, fingerprint: str, client_id: str, now: datetime) -> Admission:
    """Return who it is; raise HomeportError with the reason for refusing.

    `fingerprint` is the SHA-256 of the certificate in lower-case hexadecimal.
    """
    credential = await tx.credentials.get(fingerprint)
    if credential is None:
        raise HomeportError(Code.CREDENTIAL_UNKNOWN, fingerprint)
    if client_id != str(credential.device):
        raise HomeportError(Code.CLIENT_ID_WRONG, f"{credential.device} came as {client_id[:80]!r}")
    _check_counts(credential, now)
    tenant = _check_owner(await tx.devices.get(credential.device), credential)
    return Admission(
        device=credential.device,
        tenant=tenant,
        fingerprint=fingerprint,
        not_after=credential.not_after,
        is_held=await tx.quarantines.get(credential.device) is not None,
    )


def _check_counts(credential: Credential, now: datetime) -> None:
    match credential.state:
        case CredentialState.CURRENT:
            pass
        case CredentialState.REPLACED:
            raise HomeportError(Code.CREDENTIAL_REPLACED, str(credential.device))
        case CredentialState.REVOKED:
            raise HomeportError(Code.CREDENTIAL_REVOKED, str(credential.device))
    if not credential.not_before <= now < credential.not_after:
        raise HomeportError(Code.CERTIFICATE_EXPIRED, f"{credential.device}: not valid now")


def _check_owner(device: Device | None, credential: Credential) -> str:
    if device is None or device.tenant is None:
        raise HomeportError(Code.DEVICE_UNKNOWN, f"{credential.device} has no owner")
    if device.epoch != credential.epoch:
        raise HomeportError(
            Code.EPOCH_STALE,
            f"{device.id}: certificate of epoch {credential.epoch}, owner of epoch {device.epoch}",
        )
    return device.tenant
