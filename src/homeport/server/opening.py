# SPDX-License-Identifier: Apache-2.0
"""What commands and the running platform both open: registry, keys, the way to the broker.

Apart from `compose`, so that a command need not import a web server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from homeport.broker.access import ACCESS_FILE, BrokerAccess
from homeport.broker.settings import ExternalSettings
from homeport.clock import SystemClock
from homeport.domain.upstream import OURS
from homeport.errors import Code, HomeportError
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.ports import Registry
from homeport.server.certificates.places import KeyPlaces
from homeport.server.certificates.platform_keys import PlatformKeys, open_platform_keys
from homeport.server.certificates.tls import TlsFiles
from homeport.server.settings import ServerSettings
from homeport.storage.sqlite.registry import SqliteRegistry


@asynccontextmanager
async def open_registry(settings: ServerSettings) -> AsyncIterator[Registry]:
    """Open the registry; a new one knows this platform's own broker as upstream."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with SqliteRegistry(settings.registry_path) as registry:
        if await registry.read(lambda tx: tx.upstreams.get(OURS)) is None:
            now = SystemClock().now()
            await registry.transact(lambda tx: add_own_upstream(tx, now=now))
        yield registry


def open_keys(settings: ServerSettings, now: datetime) -> PlatformKeys:
    """Open the platform's keys; made where they are missing."""
    tls = settings.tls
    if (tls.certificate is None) != (tls.key is None):
        raise HomeportError(Code.SETTING_WRONG, "tls.certificate and tls.key go together")
    files = TlsFiles(tls.certificate, tls.key) if tls.certificate and tls.key else None
    places = KeyPlaces(
        directory=settings.data / "keys",
        names=(settings.name,),
        issuing_key=settings.keys.issuer,
        tls=files,
        tls_anchors=tls.anchors,
    )
    return open_platform_keys(places, now)


def broker_access(settings: ServerSettings) -> BrokerAccess:
    """Return how to reach the broker: the given one, or our own that runs already."""
    if settings.broker.urls:
        return BrokerAccess.external(_external(settings))
    path = broker_directory(settings) / ACCESS_FILE
    if not path.exists():
        detail = f"no platform has run with its data in {settings.data}"
        raise HomeportError(Code.BROKER_UNAVAILABLE, detail)
    return BrokerAccess.read(path)


def broker_directory(settings: ServerSettings) -> Path:
    """Return where our own broker lives."""
    return settings.data / "broker"


def _external(settings: ServerSettings) -> ExternalSettings:
    given = settings.broker
    if given.platform_seed is None or given.system_seed is None or given.issuer_seed is None:
        raise HomeportError(
            Code.SETTING_WRONG,
            "a given broker needs broker.platform_seed, broker.system_seed and broker.issuer_seed",
        )
    return ExternalSettings(
        urls=given.urls,
        account=given.account,
        platform_seed=given.platform_seed,
        system_seed=given.system_seed,
        issuer_seed=given.issuer_seed,
        anchors=given.anchors,
    )
