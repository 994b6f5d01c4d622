# SPDX-License-Identifier: Apache-2.0
"""The Wi-Fi port over a running wpa_supplicant.

wpa_supplicant's memory and its file are two things. A network on trial is in the memory only, and
a note beside it says which others were put aside; so wpa_supplicant itself remembers how to go
back, and forgets it when it is restarted. Only what was joined is written to the file, which
wpa_supplicant replaces whole: a power cut leaves the old network or the new one.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.radio.wifi.addresses import addresses, await_address
from homeport.radio.wifi.port import Profile, Seen
from homeport.radio.wifi.wpa_supplicant.attempt import Attempt
from homeport.radio.wifi.wpa_supplicant.control import Control, connected, unavailable
from homeport.radio.wifi.wpa_supplicant.network import Fields, fields
from homeport.radio.wifi.wpa_supplicant.register import Register
from homeport.radio.wifi.wpa_supplicant.text import by_name, read_escaped, read_scan, read_values

USUAL_DIRECTORY: Final = Path("/run/wpa_supplicant")
"""Where distributions let wpa_supplicant make its sockets, one for each interface."""
NOT_INTERFACES: Final = ("p2p-dev-", "global")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for each step."""

    scan: float = 20.0
    """All channels of three bands, where a scan listens for beacons on most of them."""
    association: float = 40.0
    """Two scans ten seconds apart that find nothing, or an access point that repeats itself."""
    address: float = 30.0
    """A DHCP client that comes late asks again after 4, 8 and 16 s (RFC 2131 section 4.1)."""
    back: float = 15.0
    """Until what was joined before is joined again; after it, it goes on by itself."""


class WpaSupplicant:
    """A `Wifi`. Nothing is held open between two errands: wpa_supplicant may be restarted."""

    def __init__(self, place: Path, limits: Limits | None = None) -> None:
        """Take the interface's control socket, or the directory in which it is the only one."""
        self._place = place
        self._limits = limits or Limits()
        self._working = asyncio.Lock()

    async def scan(self) -> Sequence[Seen]:
        """Look around: the strongest network first, each name once, hidden ones left out."""
        async with self._at_work() as control:
            return by_name(await self._look_around(control))

    async def join(self, profile: Profile) -> None:
        """Join, and return when an address is there; the network is stored then, not before."""
        async with self._at_work() as control:
            register = Register(control)
            await register.demand_file()
            await register.set_country(profile.country)
            try:
                block = await self._block(control, profile)
                await self._try(control, register, profile, block)
            except BaseException as error:
                with suppress(HomeportError):  # what stopped us is what is told
                    await register.restore()
                    if isinstance(error, HomeportError) and register.was_joined:
                        await self._await_return(control)
                raise

    async def joined(self) -> bytes | None:
        """Return the name of the network that the device is in now."""
        async with connected(self._socket()) as control:
            if not self._working.locked():
                await Register(control).clear_up()
            return await _joined(control)

    async def forget(self) -> None:
        """Leave and forget what `join` stored."""
        async with self._at_work() as control:
            await Register(control).forget()

    @asynccontextmanager
    async def _at_work(self) -> AsyncGenerator[Control]:
        """One errand at a time, and none that begins in what an interrupted one left."""
        async with self._working, connected(self._socket()) as control:
            await Register(control).clear_up()
            yield control

    async def _look_around(self, control: Control) -> list[Seen]:
        # A scan that runs already is refused (FAIL-BUSY), and its results are as good.
        await control.ask("SCAN")
        try:
            async with asyncio.timeout(self._limits.scan):
                while not (await control.event()).startswith("CTRL-EVENT-SCAN-RESULTS"):
                    pass
        except TimeoutError:
            raise unavailable(control.name, "the scan does not end") from None
        return read_scan(await control.ask("SCAN_RESULTS"))

    async def _block(self, control: Control, profile: Profile) -> Fields:
        seen = await self._look_around(control)
        capabilities = (await control.ask("GET_CAPABILITY key_mgmt")).split()
        there = {each.security for each in seen if each.ssid == profile.ssid}
        return fields(profile, there, has_sae="SAE" in capabilities)

    async def _try(
        self, control: Control, register: Register, profile: Profile, block: Fields
    ) -> None:
        # A DHCP client that keeps its lease in the same network is right to do so.
        is_same = await _joined(control) == profile.ssid
        before = frozenset() if is_same else addresses(control.name)
        await self._associate(control, Attempt(await register.begin(block)))
        await await_address(control.name, before, self._limits.address)
        await register.keep()

    async def _associate(self, control: Control, attempt: Attempt) -> None:
        try:
            async with asyncio.timeout(self._limits.association):
                while not attempt.hear(await control.event()):
                    pass
        except TimeoutError:
            raise attempt.failure() from None

    async def _await_return(self, control: Control) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.back):
                while await _joined(control) is None:
                    await control.event()

    def _socket(self) -> Path:
        if not self._place.is_dir():
            return self._place
        names = sorted(
            path for path in self._place.iterdir() if not path.name.startswith(NOT_INTERFACES)
        )
        if len(names) != 1:
            found = ", ".join(path.name for path in names) or "none"
            raise unavailable(str(self._place), f"one interface is needed here, there is {found}")
        return names[0]


def open_wpa_supplicant(place: str) -> WpaSupplicant:
    """Take an interface, its control socket, or the directory of sockets; raise SETTING_WRONG."""
    path = USUAL_DIRECTORY / place  # an absolute one stays what it is
    if not place or "\0" in place or (not place.startswith("/") and "/" in place):
        detail = f"wifi: {place!r} is neither an interface nor an absolute path"
        raise HomeportError(Code.SETTING_WRONG, detail)
    return WpaSupplicant(path)


async def _joined(control: Control) -> bytes | None:
    status = read_values(await control.must("STATUS"))
    if status.get("wpa_state") != "COMPLETED" or "ssid" not in status:
        return None
    try:
        return read_escaped(status["ssid"])
    except MalformedError:
        return None
