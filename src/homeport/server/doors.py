# SPDX-License-Identifier: Apache-2.0
"""Two doors at one address: the people's below one prefix, the device's everywhere else."""

from typing import Final

from homeport.api import PREFIX
from homeport.http.asgi import App, Receive, Scope, Send

_BELOW: Final = f"{PREFIX}/"


class Doors:
    """An ASGI application; a device's request costs one comparison more than without it."""

    def __init__(self, *, devices: App, people: App) -> None:
        """Take both doors."""
        self._devices, self._people = devices, people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["path"].startswith(_BELOW):
            await self._people(scope, receive, send)
        else:
            await self._devices(scope, receive, send)
