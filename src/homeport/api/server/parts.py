# SPDX-License-Identifier: Apache-2.0
"""What the people's door is made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from homeport.api.server.callers import Authenticator
from homeport.api.server.event_hub import EventHub
from homeport.api.server.guessing import ClaimGuesses
from homeport.api.server.people.parts import SignInParts
from homeport.clock import Clock, SystemClock
from homeport.http.asgi import Scope
from homeport.http.source import Networks
from homeport.http.throttle import Throttle
from homeport.provisioning.people.invite import LIFETIME
from homeport.provisioning.ports import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the door is made of."""

    registry: Registry
    authenticator: Authenticator
    clock: Clock
    noted: Callable[[Scope, Exception], None]
    """Told of every request that ends in a problem."""
    sources: Throttle | None = None
    """How fast one source may ask; None: the door is not on a network."""
    proxies: Networks = ()
    """Our own reverse proxies, whose X-Forwarded-For is believed."""
    uploads: Path | None = None
    """Directory for files that are taken; None: the system's own for such things."""
    guesses: ClaimGuesses = field(default_factory=lambda: ClaimGuesses(SystemClock()))
    """Who tries claim codes."""
    invitation_lifetime: timedelta = LIFETIME
    events: EventHub | None = None
    """Who follows the audit trail; None: a door that is open for one command only."""
    sign_in: SignInParts | None = None
    """What signing in is made of; None: nobody signs in at this door."""
