# SPDX-License-Identifier: Apache-2.0
"""`/session`: sign in, say who is signed in, sign out."""

from typing import Final

from fastapi import APIRouter, Request, Response

from homeport.api.server.ask import Asked, needs
from homeport.api.server.people import cookies
from homeport.api.server.people.cross_site import token_for
from homeport.api.server.people.sign_in import Knock
from homeport.api.server.resources.people.own import Oneself
from homeport.api.server.resources.people.stranger import AnyBody, open_to_all
from homeport.api.wire.people import Credentials, SignedIn
from homeport.provisioning.people.sessions import end_sessions
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/session", tags=["session"])


@router.post("", status_code=201, **open_to_all())
async def sign_in(given: Credentials, stranger: AnyBody) -> SignedIn:
    """Sign in by name and password; the session is in a cookie."""
    knock = Knock(
        name=given.name,
        password=given.password.get_secret_value(),
        browser=cookies.read(stranger.request, cookies.BROWSER),
        visit=stranger.visit("password"),
    )
    account, token = await stranger.people.sign_in.knock(knock)
    return await stranger.welcome(account, token)


@router.get("", **needs(None))
async def get_session(ask: Asked, request: Request) -> SignedIn:
    """Say who is asking, and what one may; also the token for X-CSRF-Token."""
    by_cookie = "authorization" not in request.headers
    token = cookies.read(request, cookies.SESSION) if by_cookie else None
    return SignedIn.of(ask.caller, token_for(token) if token else None)


@router.delete("", status_code=204, **needs(None))
async def sign_out(own: Oneself, response: Response) -> None:
    """Sign out: the session ends, here and on the platform."""

    async def verb(tx: Transaction) -> None:
        account = await own.account(tx)
        ask = own.ask
        await end_sessions(tx, account, only=own.session.id, actor=ask.actor, now=ask.now)

    await own.ask.transact(verb)
    cookies.take(response, cookies.SESSION)
