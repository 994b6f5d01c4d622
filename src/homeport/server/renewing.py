# SPDX-License-Identifier: Apache-2.0
"""Keep the platform's own certificates fresh, and everybody who uses them up to date."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from homeport.broker.embedded import EmbeddedBroker
from homeport.clock import Clock
from homeport.errors import HomeportError
from homeport.http.asgi import App, Receive, Scope, Send
from homeport.server.certificates.platform_keys import PlatformKeys
from homeport.server.listeners import Listener
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.keys")

LOOK_EVERY: Final = timedelta(seconds=10)
"""How soon a certificate that the operator replaced is served; a look is two `stat` calls."""


class Switch:
    """Passes requests to the door as it is now."""

    def __init__(self, door: App) -> None:
        """Take the first door."""
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        await self.door(scope, receive, send)


class Renewing:
    """Looks whether a certificate is due or was replaced, and hands the new ones round."""

    def __init__(
        self,
        keys: PlatformKeys,
        switch: Switch,
        make_door: Callable[[], App],
        listener: Listener,
        broker: EmbeddedBroker | None,
        clock: Clock,
    ) -> None:
        """Take the keys, and all who use them."""
        self._keys, self._switch, self._make_door = keys, switch, make_door
        self._listener, self._broker, self._clock = listener, broker, clock

    async def keep(self) -> None:
        """Run until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            try:
                renewed = await asyncio.to_thread(self._keys.refresh, self._clock.now())
            except HomeportError as error:
                facts = {DETAIL: str(error)}
                note(_log, logging.ERROR, "the certificates could not be renewed", **facts)
                continue
            if renewed:
                self._switch.door = self._make_door()
                self._listener.reload_tls()
                if self._broker is not None:
                    self._broker.reload()
