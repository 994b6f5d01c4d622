# SPDX-License-Identifier: Apache-2.0
"""What the people's door needs so that people can sign in at it."""

from dataclasses import dataclass

from homeport.api.server.oidc.flow import Flows
from homeport.api.server.oidc.provider import Provider
from homeport.api.server.people.known_browsers import KnownBrowsers
from homeport.api.server.people.set_up import SetUpCode
from homeport.api.server.people.sign_in import SignIn
from homeport.domain.session import Lifetimes
from homeport.provisioning.people.passwords import Passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInParts:
    """What signing in is made of."""

    passwords: Passwords
    sign_in: SignIn
    browsers: KnownBrowsers
    flows: Flows
    """Sign-ins that are on their way to the provider and back."""
    lifetimes: Lifetimes
    set_up: SetUpCode
    may_found_tenants: bool
    """Whether anybody with an account may found a tenant of one."""
    provider: Provider | None = None
    """The OpenID provider at which people may sign in too."""
