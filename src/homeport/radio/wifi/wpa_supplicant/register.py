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
"""The mark (`id_str`) of the network that `join` has stored."""
PRIORITY: Final = "1"
"""Above what the board has by other ways, which is 0 unless somebody has set it."""

_TRIAL: Final = re.compile(r'"homeport-trial((?:-\d+)*)"')
"""The mark of a network on trial, with the numbers of those that were put aside for it."""


class Register:
    """What one errand changes of it."""

    def __init__(self, control: Control) -> None:
        """Take the connection."""
        self._control = control
        self._trial: int | None = None
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
        self._trial = number = int(await self._control.must("ADD_NETWORK"))
        mark = "".join(f"-{each}" for each in self._aside)
        marked = {**block, "priority": PRIORITY, "id_str": f'"homeport-trial{mark}"'}
        for name, value in marked.items():
            await self._control.must(f"SET_NETWORK {number} {name} {value}")
        await self._control.must(f"SELECT_NETWORK {number}")
        return number

    async def keep(self) -> None:
        """Store the network on trial in the place of the one that was ours."""
        earlier = [number async for number, mark in self._marked() if mark == OURS]
        await self._enable(self._aside, "no-connect")
        await self._control.must(f"SET_NETWORK {self._trial} id_str {OURS}")
        await self._control.must("SAVE_CONFIG")
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

    async def clear_up(self) -> None:
        """Take away what a program that was interrupted has left on trial."""
        async for number, mark in self._marked():
            if found := _TRIAL.fullmatch(mark):
                await self._control.ask(f"REMOVE_NETWORK {number}")
                await self._enable([int(each) for each in found[1].split("-")[1:]])

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
