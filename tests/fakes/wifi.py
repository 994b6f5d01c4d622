# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi without a radio: access points in memory, a station, failures and power cuts on demand.

    wifi = FakeWifi(AccessPoint(ssid=b"Home", passphrase="correct horse"))
    await wifi.join(Profile(ssid=b"Home", security=Security.PSK, passphrase="correct horse"))
    wifi.fail(Code.WIFI_NO_ADDRESS)        # the next join, whatever it is
    wifi.access_points.clear()             # all of them are switched off
    wifi.power_cut()                       # the device starts again with what was stored

With a `memory` file what was stored outlives the process, for agents that are killed. `around` is
entered for each act that a power cut may hit (`fakes.plug.Plug.around`).
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from homeport.errors import Code, HomeportError
from homeport.radio.wifi import Profile, Security, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    """One that is switched on."""

    ssid: bytes
    security: Security = Security.PSK
    passphrase: str = ""
    signal: int = -50
    is_hidden: bool = False
    has_dhcp: bool = True
    is_refusing: bool = False


class FakeWifi:
    """A `Wifi` in the midst of `access_points`."""

    def __init__(
        self,
        *access_points: AccessPoint,
        memory: Path | None = None,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Switch on; with `memory`, what was stored there is joined at once."""
        self.access_points = list(access_points)
        self.memory, self.around = memory, around
        self.is_there = True
        """Whether there is a radio."""
        self.tried: list[Profile] = []
        """What `join` was asked for."""
        self.present: bytes | None = None
        self.stored: Profile | None = None
        self._failures: list[Code] = []
        self.power_cut()

    def fail(self, *codes: Code) -> None:
        """Let the next joins end so, one each."""
        self._failures += codes

    def power_cut(self) -> None:
        """Switch off and on: the station joins what is stored."""
        self.present = None
        if self.memory is not None:
            self.stored = _read(self.memory)
        if self.stored is not None and self._fault(self.stored) is None:
            self.present = self.stored.ssid

    async def scan(self) -> Sequence[Seen]:
        """The access points that tell their names."""
        self._demand_radio()
        seen: dict[bytes, Seen] = {}
        for each in sorted(self.access_points, key=lambda point: -point.signal):
            if not each.is_hidden:
                found = Seen(ssid=each.ssid, signal=each.signal, security=each.security)
                seen.setdefault(each.ssid, found)
        return list(seen.values())

    async def join(self, profile: Profile) -> None:
        """Join, or fail and stay in the network of before."""
        self._demand_radio()
        self.tried.append(profile)
        before, self.present = self.present, None
        with self.around():
            code = self._failures.pop(0) if self._failures else self._fault(profile)
            if code is not None:
                self.present = before
                raise HomeportError(code, "as the test has it")
            self.present = profile.ssid
        with self.around():
            self._store(profile)

    async def joined(self) -> bytes | None:
        """The present network."""
        self._demand_radio()
        return self.present

    async def forget(self) -> None:
        """Leave and forget."""
        self._demand_radio()
        with self.around():
            if self.stored is not None and self.present == self.stored.ssid:
                self.present = None
            self._store(None)

    def _store(self, profile: Profile | None) -> None:
        self.stored = profile
        if self.memory is not None:
            _write(self.memory, profile)

    def _demand_radio(self) -> None:
        if not self.is_there:
            raise HomeportError(Code.WIFI_UNAVAILABLE, "there is no radio")

    def _fault(self, profile: Profile) -> Code | None:
        """What is wrong with the profile, at the best access point of its name."""
        there = [each for each in self.access_points if each.ssid == profile.ssid]
        if not there:
            return Code.WIFI_NOT_FOUND
        faults = [_fault(profile, each) for each in there]
        return None if None in faults else faults[0]


def _fault(profile: Profile, access_point: AccessPoint) -> Code | None:
    if access_point.is_refusing or not _fits(profile, access_point.security):
        return Code.WIFI_REFUSED
    # The fake compares a key with the passphrase as if it were one: no test needs to know better.
    if (profile.passphrase or profile.psk_hex) != access_point.passphrase:
        return Code.WIFI_PASSWORD_WRONG
    return None if access_point.has_dhcp else Code.WIFI_NO_ADDRESS


def _fits(profile: Profile, there: Security) -> bool:
    match profile.security:
        case Security.OPEN:
            return there is Security.OPEN
        case Security.PSK | Security.PSK_SAE:
            least = {Security.PSK, Security.PSK_SAE}
            return there in (least if profile.psk_hex else least | {Security.SAE})
        case Security.SAE:
            return there in {Security.SAE, Security.PSK_SAE}
        case Security.ENTERPRISE | Security.UNKNOWN:
            return False


def _write(memory: Path, profile: Profile | None) -> None:
    if profile is None:
        memory.unlink(missing_ok=True)
        return
    partial = memory.with_suffix(".partial")
    partial.write_text(
        json.dumps(
            {
                "ssid": profile.ssid.hex(),
                "security": profile.security,
                "passphrase": profile.passphrase,
                "psk_hex": profile.psk_hex,
                "is_hidden": profile.is_hidden,
                "country": profile.country,
            }
        )
    )
    partial.rename(memory)


def _read(memory: Path) -> Profile | None:
    if not memory.exists():
        return None
    found = json.loads(memory.read_text())
    found |= {"ssid": bytes.fromhex(found["ssid"]), "security": Security(found["security"])}
    return Profile(**found)
