# SPDX-License-Identifier: Apache-2.0
"""How people sign in at this platform, put together; and the code of its first set-up."""

import logging
from typing import Final

from homeport.api import PREFIX
from homeport.api.server.oidc.flow import Flows
from homeport.api.server.oidc.provider import Provider, ProviderSettings
from homeport.api.server.people.known_browsers import KnownBrowsers
from homeport.api.server.people.parts import SignInParts
from homeport.api.server.people.set_up import SetUpCode
from homeport.api.server.people.sign_in import SignIn
from homeport.clock import Clock
from homeport.domain.session import Lifetimes
from homeport.keys.secret import read_secret
from homeport.provisioning.people.passwords import Passwords
from homeport.provisioning.ports import Registry
from homeport.server.settings import ServerSettings
from homeport.telemetry import note

_log: Final = logging.getLogger("homeport.people")


def make_sign_in(
    settings: ServerSettings, secret: bytes, registry: Registry, clock: Clock
) -> SignInParts:
    """Put together what signing in is made of; `secret` is one that only this platform has."""
    people = settings.people
    passwords, browsers = Passwords(), KnownBrowsers(secret)
    lifetimes = Lifetimes(idle=people.session_idle, absolute=people.session_lifetime)
    return SignInParts(
        passwords=passwords,
        sign_in=SignIn(registry, passwords, browsers, clock, lifetimes),
        browsers=browsers,
        flows=Flows(secret, clock),
        lifetimes=lifetimes,
        set_up=SetUpCode(settings.data),
        may_found_tenants=people.found_tenants,
        provider=_provider(settings, clock),
    )


async def offer_set_up(settings: ServerSettings, registry: Registry) -> None:
    """Lay the code ready while the platform has no operator, and say where; else remove it."""
    code = SetUpCode(settings.data)
    if await registry.read(lambda tx: tx.accounts.operators()):
        code.withdraw()
        return
    code.offer()
    where = {"file": str(code.path), "url": f"{settings.url}{PREFIX}/set-up"}
    note(_log, logging.WARNING, "no operator yet: bring the code in the file to the URL", **where)


def _provider(settings: ServerSettings, clock: Clock) -> Provider | None:
    given = settings.oidc
    if not given.issuer:
        return None
    return Provider(
        ProviderSettings(
            issuer=given.issuer,
            client_id=given.client_id,
            client_secret=read_secret(given.client_secret) if given.client_secret else None,
            callback=f"{settings.url}{PREFIX}/oidc/callback",
            title=given.title,
            anchors=given.anchors,
            scopes=tuple(dict.fromkeys(("openid", *given.scopes))),
        ),
        clock,
    )
