# SPDX-License-Identifier: Apache-2.0
"""Talk to the provider: its metadata and keys (OpenID Connect Discovery 1.0), its token endpoint.

Everything it says is read with limits of time and size, over TLS (plain HTTP only to this machine
itself), and redirects are not followed.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx

from homeport.api.server.oidc.flow import Flow
from homeport.api.server.oidc.id_token import (
    Expected,
    Keys,
    Person,
    check_id_token,
    names_unknown_key,
    read_keys,
)
from homeport.clock import Clock
from homeport.errors import Code, HomeportError
from homeport.keys import Secret

TIMEOUT: Final = timedelta(seconds=10)
ANSWER_MAX: Final = 256 * 1024
"""Bytes; metadata, keys and tokens have some kB."""

KEPT_FOR: Final = timedelta(hours=1)
"""How long metadata and keys are believed."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""At the earliest, when a token names an unknown key: forged tokens must not make us ask."""

DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """Which provider, and who we are there."""

    issuer: str
    """Its issuer identifier, a URL."""
    client_id: str
    client_secret: Secret | None
    """None: a public client; PKCE alone protects the code."""
    callback: str
    """Our address to come back to, as it is registered there."""
    title: str
    """What people call it."""
    anchors: Path | None = None
    """PEM with the roots to trust for its TLS; None: the system's."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider said of itself."""

    authorization_endpoint: str
    token_endpoint: str
    secret_in_body: bool
    """Whether it takes the client's secret only as a field of the form."""
    keys: Keys
    at: datetime


class Provider:
    """One OpenID provider."""

    def __init__(
        self,
        settings: ProviderSettings,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take who it is; a transport of one's own replaces the network."""
        demand_private_way(settings.issuer)
        self.settings: Final = settings
        self._clock, self._transport = clock, transport
        self._trust: Final = ssl.create_default_context(
            cafile=str(settings.anchors) if settings.anchors else None
        )
        self._known: _Known | None = None

    async def address(self, flow: Flow) -> str:
        """Return where to send the browser."""
        known = await self._learn()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.callback,
            "scope": " ".join(self.settings.scopes),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        separator = "&" if "?" in known.authorization_endpoint else "?"
        return f"{known.authorization_endpoint}{separator}{urlencode(asked)}"

    async def redeem(self, code: str, flow: Flow) -> Person:
        """Exchange the code for an ID token and check it.

        HomeportError(PROVIDER_UNPROVEN, PROVIDER_UNREACHABLE).
        """
        known = await self._learn()
        token = await self._exchange(known, code, flow)
        if names_unknown_key(token, known.keys):
            known = await self._learn(ASKED_AGAIN_AFTER)
        expected = Expected(
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=flow.nonce,
            now=self._clock.now(),
        )
        return check_id_token(token, known.keys, expected)

    async def _learn(self, kept_for: timedelta = KEPT_FOR) -> _Known:
        now = self._clock.now()
        if self._known is None or now - self._known.at >= kept_for:
            said = await self._ask("GET", self.settings.issuer.rstrip("/") + DISCOVERY)
            # Discovery section 4.3: else it could speak for another issuer.
            if said.get("issuer") != self.settings.issuer:
                raise HomeportError(Code.PROVIDER_UNPROVEN, "its metadata names another issuer")
            keys = read_keys(await self._ask("GET", _endpoint(said, "jwks_uri")))
            ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            self._known = _Known(
                authorization_endpoint=_endpoint(said, "authorization_endpoint"),
                token_endpoint=_endpoint(said, "token_endpoint"),
                secret_in_body="client_secret_basic" not in ways,
                keys=keys,
                at=now,
            )
        return self._known

    async def _exchange(self, known: _Known, code: str, flow: Flow) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.callback,
            "code_verifier": flow.verifier,
        }
        auth = None
        client_id, secret = self.settings.client_id, self.settings.client_secret
        if secret is None or known.secret_in_body:
            form["client_id"] = client_id
            if secret is not None:
                form["client_secret"] = secret.reveal()
        else:
            # RFC 6749 section 2.3.1: both are form-encoded first.
            auth = httpx.BasicAuth(quote(client_id, safe=""), quote(secret.reveal(), safe=""))
        said = await self._ask("POST", known.token_endpoint, form, auth)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise HomeportError(Code.PROVIDER_UNPROVEN, "its answer has no ID token")
        return token

    async def _ask(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> Mapping[str, Any]:
        """Return the JSON object that it answers."""
        try:
            async with (
                httpx.AsyncClient(
                    verify=self._trust,
                    timeout=TIMEOUT.total_seconds(),
                    transport=self._transport,
                    trust_env=False,
                ) as client,
                client.stream(method, address, data=form, auth=auth) as answer,
            ):
                content = await _content(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            detail = f"{address}: {str(error) or type(error).__name__}"
            raise HomeportError(Code.PROVIDER_UNREACHABLE, detail) from None
        return _object(answer.status_code, content, address)


def demand_private_way(address: str) -> None:
    """Refuse plain HTTP to anywhere but this machine (SETTING_WRONG)."""
    try:
        parts = urlsplit(address)
        scheme, host = parts.scheme, parts.hostname or ""
    except ValueError:
        scheme = host = ""
    if (scheme == "https" and host) or (scheme == "http" and _is_this_machine(host)):
        return
    raise HomeportError(Code.SETTING_WRONG, f"oidc.issuer: {address[:200]} is not https")


async def _content(answer: httpx.Response) -> bytes:
    parts: list[bytes] = []
    async for part in answer.aiter_bytes():
        parts.append(part)
        if sum(map(len, parts)) > ANSWER_MAX:
            raise HomeportError(Code.PROVIDER_UNPROVEN, "its answer is too large")
    return b"".join(parts)


def _object(status: int, content: bytes, address: str) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if status >= 500:  # noqa: PLR2004
        raise HomeportError(Code.PROVIDER_UNREACHABLE, f"{address}: HTTP {status}")
    if status != 200 or not isinstance(said, Mapping):  # noqa: PLR2004
        why = said.get("error") if isinstance(said, Mapping) else "no JSON object"
        detail = f"{address}: HTTP {status}, {str(why)[:100]}"
        raise HomeportError(Code.PROVIDER_UNPROVEN, detail)
    return said


def _endpoint(said: Mapping[str, Any], name: str) -> str:
    address = said.get(name)
    if not isinstance(address, str):
        raise HomeportError(Code.PROVIDER_UNPROVEN, f"its metadata has no {name}")
    try:
        demand_private_way(address)
    except HomeportError:
        raise HomeportError(Code.PROVIDER_UNPROVEN, f"{name} is not https") from None
    return address


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
