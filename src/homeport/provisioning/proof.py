# SPDX-License-Identifier: Apache-2.0
"""What a door has proven about a request, as types: a verb takes these and nothing less.

Only the function of a door that performs the checks makes them (for the native protocol
`protocols.native.server.prove`).
"""

from dataclasses import dataclass

from homeport.domain.device import DeviceId
from homeport.pki.requests import ProvenCsr


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRequest:
    """A device has shown with its IDevID's key that it asks for this operational key."""

    device: DeviceId
    model: str
    """As the device says; the manifest's word counts more."""
    idevid_fingerprint: str
    csr: ProvenCsr
    key_hash: str
    """SHA-256 of the operational key's SubjectPublicKeyInfo, hex."""
    request_id: str
    epoch: int
    """Highest ownership epoch that the device has seen."""
    peer: str
    """Address that it came from, for the timeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRenewal:
    """A device has shown with its LDevID's key that it asks for a new certificate."""

    device: DeviceId
    """As the LDevID that signed names it."""
    fingerprint: str
    """Of that LDevID."""
    csr: ProvenCsr
    key_hash: str
    request_id: str
    peer: str
