# SPDX-License-Identifier: Apache-2.0
"""The fake keeps the contract of `Wifi`. wpa_supplicant's turn: tests/system/test_wifi_radio.py."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.wifi_suite import ACCESS_POINTS, CASES, PSK, SAE, Air, fitting
from fakes.in_loop import in_loop
from fakes.wifi import FakeWifi
from homeport.errors import Code, HomeportError


class FakeAir:
    def __init__(self, memory: Path | None = None) -> None:
        self.wifi = self.hurried = FakeWifi(*ACCESS_POINTS, memory=memory)

    async def power_cut(self) -> None:
        self.wifi.power_cut()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("is_lasting", [False, True], ids=["in-memory", "in-file"])
def test_the_fake(case: Callable[[Air], Awaitable[None]], is_lasting: bool, tmp_path: Path):
    asyncio.run(case(FakeAir(tmp_path / "wifi.json" if is_lasting else None)))  # type: ignore[arg-type]


@in_loop
async def test_failures_come_when_they_are_ordered():
    wifi = FakeWifi(*ACCESS_POINTS)
    wifi.fail(Code.WIFI_NO_ADDRESS)
    with pytest.raises(HomeportError) as failed:
        await wifi.join(fitting(PSK))
    assert failed.value.code is Code.WIFI_NO_ADDRESS
    await wifi.join(fitting(PSK))
    assert [profile.ssid for profile in wifi.tried] == [PSK.ssid, PSK.ssid]
    wifi.is_there = False
    with pytest.raises(HomeportError) as gone:
        await wifi.joined()
    assert gone.value.code is Code.WIFI_UNAVAILABLE


@in_loop
async def test_a_power_cut_at_any_instant_leaves_the_old_network_or_the_new(tmp_path):
    class PowerCutError(BaseException):
        pass

    for cut_at in (1, 2, 3, 4):
        memory = tmp_path / f"wifi-{cut_at}.json"
        await FakeWifi(*ACCESS_POINTS, memory=memory).join(fitting(PSK))
        instants = iter(range(1, 9))

        def instant(instants=instants, cut_at=cut_at):
            if next(instants) == cut_at:
                raise PowerCutError

        @contextmanager
        def around(instant=instant):
            instant()
            yield
            instant()

        cut = FakeWifi(*ACCESS_POINTS, memory=memory, around=around)
        with pytest.raises(PowerCutError):
            await cut.join(fitting(SAE))
        after = FakeWifi(*ACCESS_POINTS, memory=memory)
        assert after.present == (SAE.ssid if cut_at == 4 else PSK.ssid)
