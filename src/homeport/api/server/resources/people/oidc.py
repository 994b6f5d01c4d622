# SPDX-License-Identifier: Apache-2.0
"""`/oidc`: sign in at an OpenID provider, and link one's account with it.

A page asks `POST /oidc/begin` and sends the browser to the address that it gets; the provider sends
it back to `GET /oidc/callback`, which starts the session and goes on to the start page.
"""

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from homeport.api.server.ask import needs
from homeport.api.server.oidc.flow import LIFETIME, Flow
from homeport.api.server.oidc.id_token import Person
from homeport.api.server.oidc.provider import Provider
from homeport.api.server.people import cookies
from homeport.api.server.people.authenticator import recognised_in
from homeport.api.server.people.parts import SignInParts
from homeport.api.server.resources.people.own import Oneself
from homeport.api.server.resources.people.stranger import AnyBody, Stranger, open_to_all
from homeport.api.wire.people import BeginLink, BeginSignIn, ProviderAddress, ProviderOffer
from homeport.domain.account import Account
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.enter import Arrival, enter
from homeport.provisioning.people.identities import link_identity
from homeport.provisioning.people.sessions import note_refused
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/oidc", tags=["oidc"])

PARAMETER_MAX: Final = 4096
"""Characters of what the provider brings back; codes have some hundred."""

START_PAGE: Final = "/"

Parameter = Annotated[str | None, Query(max_length=PARAMETER_MAX)]


@router.get("", **open_to_all())
async def get_provider(stranger: AnyBody) -> ProviderOffer:
    """Say whether one can sign in at an OpenID provider, and what to write on the button."""
    provider = stranger.people.provider
    return ProviderOffer(
        is_offered=provider is not None,
        title=provider.settings.title if provider else None,
    )


@router.post("/begin", status_code=201, **open_to_all(422))
async def begin_sign_in(given: BeginSignIn, stranger: AnyBody) -> ProviderAddress:
    """Begin to sign in at the provider, maybe with an invitation to accept."""
    invitation = given.invitation.get_secret_value() if given.invitation else ""
    return await _send_out(stranger.people, Flow.begin(invitation=invitation), stranger.response)


@router.post("/link", status_code=201, **needs(None, 422))
async def begin_link(given: BeginLink, own: Oneself, response: Response) -> ProviderAddress:
    """Begin to link one's own account with the provider."""
    await own.demand_presence(await own.ask.read(own.account), given.present)
    flow = Flow.begin(session=own.session.id)
    return await _send_out(own.people, flow, response)


@router.get("/callback", status_code=303, response_class=Response, **open_to_all(409, 422))
async def come_back(
    stranger: AnyBody,
    state: Parameter = None,
    code: Parameter = None,
    iss: Parameter = None,
    error: Parameter = None,
) -> Response:
    """Come back from the provider: the session begins, and the start page is next."""
    provider = _offered(stranger.people.provider)
    flow = stranger.people.flows.read(cookies.read(stranger.request, cookies.PROVIDER))
    if flow is None or not hmac.compare_digest((state or "").encode(), flow.state.encode()):
        raise HomeportError(Code.PROVIDER_UNPROVEN, "state is not that of this browser")
    if iss is not None and iss != provider.settings.issuer:  # RFC 9207
        raise HomeportError(Code.PROVIDER_UNPROVEN, "iss is another issuer")
    if error is not None or code is None:
        raise HomeportError(Code.PROVIDER_UNPROVEN, f"the provider said: {(error or '')[:100]}")
    person = await provider.redeem(code, flow)
    response = Response(status_code=303, headers={"location": START_PAGE})
    cookies.take(response, cookies.PROVIDER)
    if flow.session:
        await _link(stranger, flow, person)
    else:
        await stranger.admit(await _enter(stranger, flow, person), "provider", response)
    return response


async def _send_out(people: SignInParts, flow: Flow, response: Response) -> ProviderAddress:
    address = await _offered(people.provider).address(flow)
    cookies.give(response, cookies.PROVIDER, people.flows.write(flow), LIFETIME)
    return ProviderAddress(address=address)


def _offered(provider: Provider | None) -> Provider:
    if provider is None:
        raise HomeportError(Code.NOT_FOUND, "no OpenID provider is set (oidc.issuer)")
    return provider


async def _enter(stranger: Stranger, flow: Flow, person: Person) -> Account:
    arrival = Arrival(
        issuer=person.issuer,
        subject=person.subject,
        suggested_name=person.suggested_name,
        invitation=flow.invitation or None,
        is_welcome=stranger.people.may_found_tenants,
    )
    try:
        return await stranger.transact(lambda tx: enter(tx, arrival, now=stranger.now))
    except HomeportError as error:
        reason = str(error.code)
        await stranger.transact(
            lambda tx: note_refused(
                tx, None, source=stranger.source, reason=reason, now=stranger.now
            )
        )
        raise


async def _link(stranger: Stranger, flow: Flow, person: Person) -> None:
    await stranger.parts.authenticator.caller_of(stranger.request)
    found = recognised_in(stranger.request)
    session = found.session if found else None
    if session is None or session.id != flow.session:
        raise HomeportError(Code.SIGN_IN_NEEDED, "another session began this")

    async def verb(tx: Transaction) -> None:
        account = await tx.accounts.get(session.account)
        if account is None:
            raise HomeportError(Code.SIGN_IN_NEEDED)
        await link_identity(
            tx,
            account,
            issuer=person.issuer,
            subject=person.subject,
            actor=account.name,
            now=stranger.now,
        )

    await stranger.transact(verb)
