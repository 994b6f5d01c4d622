# SPDX-License-Identifier: Apache-2.0
"""In the guest: the contract of `Wifi` and more, for wpa_supplicant. A line of JSON for each case.

`python -m fakes.virtual_machine.wifi_cases`, as the program of a `VirtualMachine`.
"""

import asyncio
import json
import os
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from contract.wifi_suite import ACCESS_POINTS, CASES, NO_DHCP, PSK, failure, fitting
from fakes.virtual_machine.radio import CONFIGURATION, HOME, SOCKET, Radio
from fakes.wifi import AccessPoint
from homeport.errors import Code, HomeportError
from homeport.radio.wifi.wpa_supplicant import Limits, WpaSupplicant
from homeport.radio.wifi.wpa_supplicant.control import connected
from homeport.radio.wifi.wpa_supplicant.network import fields, pairwise_key
from homeport.radio.wifi.wpa_supplicant.register import Register

RESULTS: Final = "results.jsonl"
CASE_SECONDS: Final = 60.0


class RadioAir:
    """The station, and hostapd's access points around it."""

    def __init__(self) -> None:
        self.radio = Radio(ACCESS_POINTS)
        self.wifi = WpaSupplicant(SOCKET)
        self.hurried = WpaSupplicant(SOCKET, Limits(address=1.0))

    async def power_cut(self) -> None:
        self.radio.cut_power()
        self.radio.start_station()


async def is_back_after_a_power_cut_while_joining(air: RadioAir) -> None:
    await air.wifi.join(fitting(PSK))
    async with joining(air, NO_DHCP):
        air.radio.cut_power()
    air.radio.start_station()
    assert await air.wifi.joined() == PSK.ssid


async def clears_up_after_a_program_that_was_killed(air: RadioAir) -> None:
    await air.wifi.join(fitting(PSK))
    async with connected(SOCKET) as control:
        await Register(control).begin(fields(fitting(NO_DHCP), (), has_sae=True))
    await until_joined(air, PSK.ssid)
    assert "No lease" not in CONFIGURATION.read_text()


async def goes_back_when_it_is_given_up(air: RadioAir) -> None:
    await air.wifi.join(fitting(PSK))
    async with joining(air, NO_DHCP):
        pass
    await until_joined(air, PSK.ssid)


async def stores_what_the_passphrase_stands_for(air: RadioAir) -> None:
    await air.wifi.join(fitting(PSK))
    written = CONFIGURATION.read_text()
    assert pairwise_key(fitting(PSK)) in written
    assert "horse" not in written


async def says_that_nothing_would_be_stored(air: RadioAir) -> None:
    async with connected(SOCKET) as control:
        await control.must("SET update_config 0")
        ended = await failure(air.wifi, fitting(PSK))
        await control.must("SET update_config 1")
        assert ended is Code.WIFI_UNAVAILABLE


async def tells_where_it_is(air: RadioAir) -> None:
    await air.wifi.join(replace(fitting(PSK), country="DE"))
    assert "country=DE" in CONFIGURATION.read_text()
    elsewhere = replace(fitting(NO_DHCP), country="US")
    assert await failure(air.hurried, elsewhere) is Code.WIFI_NO_ADDRESS
    async with connected(SOCKET) as control:
        assert await control.ask("GET country") == "DE"
        await control.must("SAVE_CONFIG")
    assert "country=DE" in CONFIGURATION.read_text()


RADIO_CASES: Final[Mapping[str, Callable[[RadioAir], Awaitable[None]]]] = {
    case.__name__: case
    for case in (
        is_back_after_a_power_cut_while_joining,
        clears_up_after_a_program_that_was_killed,
        goes_back_when_it_is_given_up,
        stores_what_the_passphrase_stands_for,
        says_that_nothing_would_be_stored,
        tells_where_it_is,
    )
}


@asynccontextmanager
async def joining(air: RadioAir, access_point: AccessPoint) -> AsyncGenerator[None]:
    """While it is joined and waits for an address; then it is given up."""

    async def join() -> None:
        with suppress(HomeportError):
            await air.wifi.join(fitting(access_point))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(join())
        await until_joined(air, access_point.ssid)
        yield
        task.cancel()


async def until_joined(air: RadioAir, ssid: bytes) -> None:
    async with asyncio.timeout(20):
        while await air.wifi.joined() != ssid:  # noqa: ASYNC110 (another process's doing)
            await asyncio.sleep(0.05)


async def run() -> None:
    """Run every case with a station that has nothing stored."""
    air = RadioAir()
    cases: Mapping[str, Callable[[Any], Awaitable[None]]] = {**CASES, **RADIO_CASES}
    with (Path(os.environ["HOMEPORT_SHARE"]) / RESULTS).open("w") as results:
        for name, case in cases.items():
            began, failure = time.monotonic(), ""
            try:
                async with asyncio.timeout(CASE_SECONDS):
                    await air.wifi.forget()
                    await case(air)
            except Exception:  # noqa: BLE001 (whatever it is, the next case is run)
                said = (HOME / "wpa_supplicant.log").read_text()[-3_000:]
                failure = f"{traceback.format_exc()}\n{said}"
            seconds = round(time.monotonic() - began, 2)
            line = json.dumps({"case": name, "seconds": seconds, "failure": failure})
            print(line, file=results, flush=True)


if __name__ == "__main__":
    asyncio.run(run())
