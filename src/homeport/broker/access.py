# SPDX-License-Identifier: Apache-2.0
"""How we reach the broker and speak for it: addresses and seeds, in memory or in a 0600 file.

The embedded broker gets new seeds at every start and leaves them in its directory, so that
commands in other processes of the same user (`homeport upstream watch`) reach it too.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from homeport.broker.nkey import Role, make_seed
from homeport.broker.settings import ExternalSettings
from homeport.errors import Code, HomeportError
from homeport.keys import Secret, read_secret

ACCOUNT: Final = "HOMEPORT"
"""Name of the NATS account that devices and we live in."""
ACCESS_FILE: Final = "access.json"
"""In the embedded broker's directory: BrokerAccess for commands of the same user."""


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    urls: tuple[str, ...]
    account: str
    platform: str
    system: str
    issuer: str
    anchors: str | None
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """What a BrokerLink needs."""

    urls: tuple[str, ...]
    account: str
    platform: Secret
    """Seed of our user in the account."""
    system: Secret
    """Seed of our user in the system account."""
    issuer: Secret
    """Seed of the account key that signs who may come in."""
    anchors: Path | None = None
    replicas: int = 1

    @classmethod
    def fresh(cls, port: int) -> Self:
        """Make new seeds for a broker on this loopback port."""
        return cls(
            urls=(f"nats://127.0.0.1:{port}",),
            account=ACCOUNT,
            platform=make_seed(Role.USER),
            system=make_seed(Role.USER),
            issuer=make_seed(Role.ACCOUNT),
        )

    @classmethod
    def external(cls, settings: ExternalSettings) -> Self:
        """Read the seeds of a given broker; HomeportError if a file cannot be read."""
        return cls(
            urls=settings.urls,
            account=settings.account,
            platform=read_secret(settings.platform_seed),
            system=read_secret(settings.system_seed),
            issuer=read_secret(settings.issuer_seed),
            anchors=settings.anchors,
            replicas=settings.replicas,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; HomeportError(BROKER_UNAVAILABLE) if no broker left one."""
        try:
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise HomeportError(Code.BROKER_UNAVAILABLE, f"{path}: {error}") from error
        return cls(
            urls=stored.urls,
            account=stored.account,
            platform=Secret(stored.platform),
            system=Secret(stored.system),
            issuer=Secret(stored.issuer),
            anchors=Path(stored.anchors) if stored.anchors else None,
            replicas=stored.replicas,
        )

    def write(self, path: Path) -> None:
        """Leave it for commands of the same user: mode 0600 from the first octet on."""
        stored = _Stored(
            urls=self.urls,
            account=self.account,
            platform=self.platform.reveal(),
            system=self.system.reveal(),
            issuer=self.issuer.reveal(),
            anchors=str(self.anchors) if self.anchors else None,
            replicas=self.replicas,
        )
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(stored))
        draft.replace(path)
