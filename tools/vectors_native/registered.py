# SPDX-License-Identifier: Apache-2.0
"""What a platform has to know before a request, where the verdict depends on it.

It is told in the protocol's own words, so that whoever implements a platform can fill a registry of
another making: tests/vectors/native/README.md.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.vectors_native.draft import Draft
from tools.vectors_native.identities import Key
from tools.vectors_native.scene import Scene

GRACE = dt.timedelta(days=365)
LIFETIME = dt.timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A request, and what the platform knows when it arrives."""

    draft: Draft
    devices: tuple[Mapping[str, Any], ...] = ()
    certificates: tuple[Mapping[str, Any], ...] = ()

    def body(self) -> bytes:
        """Return the request."""
        return self.draft.body()

    def document(self) -> Mapping[str, Any]:
        """Return the vector's member `registry`."""
        return {
            "renewal_grace_days": GRACE.days,
            "devices": list(self.devices),
            "certificates": list(self.certificates),
        }


@dataclass(kw_only=True)
class Books:
    """Notes what the platform knows, in the words of the vectors."""

    scene: Scene
    devices: list[Mapping[str, Any]] = field(default_factory=list)
    certificates: list[Mapping[str, Any]] = field(default_factory=list)

    def device(
        self, serial_number: str, *, epoch: int = 1, state: str = "operational", idevid: str = ""
    ) -> Self:
        """A device with an owner; `idevid` is the fingerprint of the one that it has shown."""
        found = {
            "id": f"{self.scene.maker.root.id}-{serial_number}",
            "idevid": idevid or hashlib.sha256(serial_number.encode()).hexdigest(),
            "epoch": epoch,
            "state": state,
        }
        self.devices.append(found)
        return self

    def certificate(
        self, key: Key, *, fingerprint: str = "", state: str = "current", **changes: Any
    ) -> Self:
        """A certificate for the device that was noted last."""
        now = self.scene.now
        certificate = {
            "device": self.devices[-1]["id"],
            "fingerprint": fingerprint or hashlib.sha256(key_hash(key).encode()).hexdigest(),
            "key_hash": key_hash(key),
            "epoch": self.devices[-1]["epoch"],
            "state": state,
            "not_after": (now + LIFETIME / 3).isoformat(),
        }
        self.certificates.append({**certificate, **changes})
        return self

    def know(self, draft: Draft) -> Registered:
        """Return the request together with what was noted."""
        return Registered(
            draft=draft, devices=tuple(self.devices), certificates=tuple(self.certificates)
        )


def key_hash(key: Key) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, hexadecimal."""
    public: CertificateIssuerPublicKeyTypes = key.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
