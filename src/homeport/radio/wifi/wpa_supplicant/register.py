# SPDX-License-Identifier: Apache-2.0
"""The networks that wpa_supplicant knows: one put on trial, kept or taken back, ours marked."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from homeport.errors import HomeportError
from homeport.radio.wifi.wpa_supplicant.control import Control, unavailable
from homeport.radio.wifi.wpa_supplicant.network import Fields
from homeport.radio.wifi.wpa_supplicant.text import read_networks

OURS: Final = '"homeport"'
"""The mark (`id_str`) of a network that is from `join`."""
PRIORITY: Final = "1"
"""Above what the board has by other ways, which is 0 unless somebody has set it."""

_NOTE: Final = re.compile(r'"homeport-trial-(\d+)((?:-\d+)*)"')
"""The mark of the note beside a network on trial: its number, and those put aside for it.

It is a network block of its own, never enabled: wpa_supplicant 2.10 leaves a WPA3 network when
anything in its own block is changed.
"""


class Register:
    """What one errand changes of it."""

    def __init__(self, control: Control) -> None:
        """Take the connection."""
        self._control = control
        self._trial: int | None = None
        self._note: int | None = None
        self._aside: list[int] = []
        self._country: str | None = None
        self.was_joined = False
        """Whether there is a network to go back to."""

    async def demand_file(self) -> None:
        """Raise WIFI_UNAVAILABLE if wpa_supplicant is not to write its file."""
        if await self._control.ask("GET update_config") == "0":
            detail = "its file lacks update_config=1, so nothing would be stored"
            raise unavailable("wpa_supplicant", detail)

    async def set_country(self, country: str) -> None:
        """Say where the device is, until `restore`; nothing if it is not told."""
        if country:
            self._country = await self._control.ask("GET country")
            await self._control.must(f"SET country {country}")

    async def begin(self, block: Fields) -> int:
        """Put a network on trial, alone, and return its number."""
        known = read_networks(await self._control.must("LIST_NETWORKS"))
        self.was_joined = any(each.is_current for each in known)
        self._aside = [each.number for each in known if not each.is_disabled]
        self._note = int(await self._control.must("ADD_NETWORK"))
        self._trial = int(await self._control.must("ADD_NETWORK"))
        numbers = "-".join(map(str, (self._trial, *self._aside)))
        await self._control.must(f'SET_NETWORK {self._note} id_str "homeport-trial-{numbers}"')
        for name, value in {**block, "priority": PRIORITY, "id_str": OURS}.items():
            await self._control.must(f"SET_NETWORK {self._trial} {name} {value}")
        self._control.pass_over()  # what follows is about this network
        await self._control.must(f"SELECT_NETWORK {self._trial}")
        return self._trial

    async def keep(self) -> None:
        """Store the network on trial in the place of the one that was ours."""
        marked = [number async for number, mark in self._marked() if mark == OURS]
        await self._enable(self._aside, "no-connect")
        await self._control.must(f"REMOVE_NETWORK {self._note}")
        self._note = None
        await self._control.must("SAVE_CONFIG")
        earlier = [number for number in marked if number != self._trial]
        self._trial = None  # kept, whatever comes now; the earlier one goes only behind it
        for number in earlier:
            await self._control.ask(f"REMOVE_NETWORK {number}")
        if earlier:
            await self._control.ask("SAVE_CONFIG")

    async def restore(self) -> None:
        """Take the network on trial away, and let the others back."""
        if self._country:
            await self._control.ask(f"SET country {self._country}")
        if self._trial is not None:
            await self._control.ask(f"REMOVE_NETWORK {self._trial}")
            await self._enable(self._aside)
        if self._note is not None:
            await self._control.ask(f"REMOVE_NETWORK {self._note}")

    async def clear_up(self) -> None:
        """Take away what a program that was interrupted has left on trial."""
        async for number, mark in self._marked():
            if found := _NOTE.fullmatch(mark):
                await self._control.ask(f"REMOVE_NETWORK {found[1]}")
                await self._enable([int(each) for each in found[2].split("-")[1:]])
                await self._control.ask(f"REMOVE_NETWORK {number}")

    async def forget(self) -> None:
        """Remove what is ours, from memory and file."""
        ours = [number async for number, mark in self._marked() if mark == OURS]
        for number in ours:
            await self._control.must(f"REMOVE_NETWORK {number}")
        if ours:
            await self._control.must("SAVE_CONFIG")

    async def _marked(self) -> AsyncIterator[tuple[int, str]]:
        for each in read_networks(await self._control.must("LIST_NETWORKS")):
            yield each.number, await self._control.ask(f"GET_NETWORK {each.number} id_str")

    async def _enable(self, numbers: list[int], *words: str) -> None:
        for number in numbers:
            with suppress(HomeportError):  # one that somebody else has removed meanwhile
                await self._control.must(" ".join(("ENABLE_NETWORK", str(number), *words)))
