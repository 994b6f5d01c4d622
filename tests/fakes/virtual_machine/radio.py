# SPDX-License-Identifier: Apache-2.0
"""In the guest: stock hostapd, stock wpa_supplicant, a DHCP client, and the air between them.

Access points are on `wlan1`, in the namespace `air`, bridged to `eth0` there; the station is
`wlan0`, with a DHCP client that runs while the link is there.
"""

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fakes.wifi import AccessPoint
from homeport.radio.wifi import Security

HOME: Final = Path("/run/radio")
SOCKET: Final = Path("/run/wpa_supplicant/wlan0")
CONFIGURATION: Final = HOME / "wpa_supplicant.conf"
WAIT_SECONDS: Final = 30.0
"""Five times the slowest that was seen (to join after a start, in an emulated processor)."""
LOOK_SECONDS: Final = 0.05

STATION: Final = """\
ctrl_interface=DIR=/run/wpa_supplicant
update_config=1
freq_list=2412
"""
"""One channel, so that a scan takes a tenth of a second and not four."""

DHCP: Final = """\
#!/bin/sh
was=
ip monitor link dev wlan0 | while read -r line; do
  case "$line" in
  *"state UP"*) is=up ;;
  *"state "*) is=down ;;
  *) continue ;;
  esac
  [ "$is" != "$was" ] || continue
  was=$is
  if [ "$is" = up ]; then
    busybox udhcpc -i wlan0 -f -t 20 -T 1 -s /run/radio/lease.sh &
    client=$!
  else
    kill "${client-}" 2>/dev/null
    ip address flush dev wlan0
  fi
done
"""
"""Boards without a network manager have a program that does this: ifplugd, dhcpcd."""

LEASE: Final = """\
#!/bin/sh
case "$1" in
bound | renew)
  ip address replace "$ip/$mask" dev "$interface" valid_lft "$lease" preferred_lft "$lease"
  [ -z "${router-}" ] || ip route replace default via "$router" dev "$interface"
  ;;
esac
"""


class Radio:
    """Everything that is on the air."""

    def __init__(self, access_points: Sequence[AccessPoint]) -> None:
        """Put the access points up, and start the station with no stored network."""
        HOME.mkdir()
        for name, text in (("dhcp.sh", DHCP), ("lease.sh", LEASE)):
            (HOME / name).write_text(text)
            (HOME / name).chmod(0o755)
        CONFIGURATION.write_text(STATION)
        self._build(access_points)
        _start(HOME / "dhcp.sh")
        self.start_station()

    def start_station(self) -> None:
        """Start wpa_supplicant with what it has stored, and wait until it has joined that."""
        self._station = _start(
            "wpa_supplicant", "-i", "wlan0", "-D", "nl80211", "-c", CONFIGURATION, "-t"
        )
        _await(SOCKET.exists)
        if "network={" in CONFIGURATION.read_text():
            _await(lambda: "wpa_state=COMPLETED" in _output("wpa_cli", "-i", "wlan0", "status"))

    def cut_power(self) -> None:
        """End the station as a power cut would."""
        self._station.kill()
        self._station.wait()
        SOCKET.unlink()
        _run("ip link set wlan0 down")

    def _build(self, access_points: Sequence[AccessPoint]) -> None:
        _run("ip netns add air")
        _run("iw phy phy1 set netns name air")
        _run("ip link set eth0 netns air")
        for command in (
            "link add br0 type bridge forward_delay 0",
            "link set eth0 master br0",
            "link set eth0 up",
            "link set br0 up",
        ):
            _run(f"ip -n air {command}")
        (HOME / "hostapd.conf").write_text(_hostapd(access_points))
        _start("ip", "netns", "exec", "air", "hostapd", HOME / "hostapd.conf")
        _await(lambda: "AP-ENABLED" in (HOME / "ip.log").read_text())


def _hostapd(access_points: Sequence[AccessPoint]) -> str:
    lines = ["interface=wlan1", "driver=nl80211", "hw_mode=g", "channel=1"]
    for number, each in enumerate(access_points):
        lines += [f"bss=wlan1_{number}"] * bool(number) + [f"ssid2={each.ssid.hex()}"]
        lines += ["bridge=br0"] * each.has_dhcp
        lines += ["ignore_broadcast_ssid=1"] * each.is_hidden
        lines += ["max_num_sta=0"] * each.is_refusing
        lines += _protection(each)
    return "\n".join([*lines, ""])


def _protection(access_point: AccessPoint) -> list[str]:
    keys = {Security.PSK: "WPA-PSK", Security.SAE: "SAE", Security.PSK_SAE: "WPA-PSK SAE"}
    if access_point.security not in keys:
        return []
    protected = {Security.PSK: 0, Security.PSK_SAE: 1, Security.SAE: 2}[access_point.security]
    return [
        "wpa=2",
        f"wpa_key_mgmt={keys[access_point.security]}",
        f"wpa_passphrase={access_point.passphrase}",
        "rsn_pairwise=CCMP",
        f"ieee80211w={protected}",
        "sae_require_mfp=1",
    ]


def _start(*command: str | Path) -> subprocess.Popen[bytes]:
    with (HOME / f"{Path(command[0]).name}.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=0o077
        )


def _run(command: str) -> None:
    subprocess.run(shlex.split(command), check=True, timeout=WAIT_SECONDS)


def _output(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    return done.stdout


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(each.read_text() for each in HOME.glob("*.log")))
        time.sleep(LOOK_SECONDS)
