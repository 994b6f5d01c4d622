# SPDX-License-Identifier: Apache-2.0
"""Why a network was not joined: wpa_supplicant's events in, verdict out. No I/O.

One event seldom says it. A wrong WPA3 password shows as a refused authentication, and then as a
network that is left alone for a while because "connecting failed". Network names in events are
chosen by others, so each event is read whole.
"""

import re
from dataclasses import dataclass
from typing import Final

from homeport.errors import Code, HomeportError

NOT_FOUND_TIMES: Final = 2
"""One scan may miss a network in reach (a beacon lost, a passive channel); two seldom do."""

SAE: Final = "3"
"""Authentication algorithm number (802.11 section 9.4.1.1)."""
SAE_PASSWORD_STATUSES: Final = frozenset({"1", "15"})
"""Unspecified failure; challenge failure: what access points say to a wrong SAE confirm."""

_NAME: Final = r'ssid="(?:[^"\\]|\\.)*"'
_CONNECTED: Final = re.compile(r"CTRL-EVENT-CONNECTED - .*\[id=(\d+) id_str=[^\]]*\]")
_LEFT_ALONE: Final = re.compile(
    rf"CTRL-EVENT-SSID-TEMP-DISABLED id=(\d+) {_NAME} auth_failures=\d+ duration=\d+ reason=(\w+)"
)
_AUTH_REJECTED: Final = re.compile(
    r"CTRL-EVENT-AUTH-REJECT [0-9a-f:]{17} auth_type=(\d+) auth_transaction=\d+ status_code=(\d+)"
    r"(?: ie=[0-9a-f]*)?"
)
_ASSOC_REJECTED: Final = re.compile(
    r"CTRL-EVENT-ASSOC-REJECT (?:bssid=[0-9a-f:]{17} )?status_code=(\d+).*"
)
_SCANS: Final = re.compile(r"CTRL-EVENT-SCAN-STARTED ?")
_NOT_FOUND: Final = re.compile(r"CTRL-EVENT-NETWORK-NOT-FOUND ?")
_HANDSHAKE_FAILED: Final = re.compile(r"WPA: 4-Way Handshake failed.*")


@dataclass(slots=True)
class Attempt:
    """One network that is being joined. `hear` each event until it says or raises the end."""

    number: int
    """The network's, at wpa_supplicant."""
    clue: tuple[Code, str] = (Code.WIFI_REFUSED, "it did not let the device in in time")
    """What it would mean if nothing more came."""
    missed: int = 0
    has_scanned: bool = False
    """wpa_supplicant first looks at what it knows: that it does not see the network there, says
    little."""

    def hear(self, event: str) -> bool:
        """Return whether the network is joined now; raise the failure if it will not be.

        WIFI_PASSWORD_WRONG, WIFI_NOT_FOUND or WIFI_REFUSED.
        """
        if found := _CONNECTED.fullmatch(event):
            return int(found[1]) == self.number
        if _HANDSHAKE_FAILED.fullmatch(event):
            self.clue = Code.WIFI_PASSWORD_WRONG, "the four-way handshake failed"
            raise self.failure()
        if found := _LEFT_ALONE.fullmatch(event):
            self._left_alone(int(found[1]), found[2])
        elif found := _AUTH_REJECTED.fullmatch(event):
            self._rejected(algorithm=found[1], status=found[2])
        elif found := _ASSOC_REJECTED.fullmatch(event):
            self.clue = Code.WIFI_REFUSED, f"association refused, status {found[1]}"
        elif _SCANS.fullmatch(event):
            self.has_scanned = True
        elif _NOT_FOUND.fullmatch(event) and self.has_scanned:
            self._missed()
        return False

    def failure(self) -> HomeportError:
        """What went wrong, as far as it is known."""
        return HomeportError(*self.clue)

    def _left_alone(self, number: int, reason: str) -> None:
        if number != self.number:
            return
        if reason == "WRONG_KEY":
            self.clue = Code.WIFI_PASSWORD_WRONG, "wpa_supplicant says so"
        raise self.failure()

    def _rejected(self, *, algorithm: str, status: str) -> None:
        is_password = algorithm == SAE and status in SAE_PASSWORD_STATUSES
        code = Code.WIFI_PASSWORD_WRONG if is_password else Code.WIFI_REFUSED
        self.clue = code, f"authentication refused, status {status}"

    def _missed(self) -> None:
        self.missed, self.has_scanned = self.missed + 1, False
        if self.missed >= NOT_FOUND_TIMES:
            self.clue = Code.WIFI_NOT_FOUND, f"in {NOT_FOUND_TIMES} scans"
            raise self.failure()
