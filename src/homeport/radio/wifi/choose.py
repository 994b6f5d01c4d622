# SPDX-License-Identifier: Apache-2.0
"""Which Wi-Fi program a setting means."""

from homeport.errors import Code, HomeportError
from homeport.radio.wifi.port import Wifi
from homeport.radio.wifi.wpa_supplicant import open_wpa_supplicant

OFF = "off"


def open_wifi(setting: str) -> Wifi | None:
    """Return the Wifi that is meant, None for "off"; raise SETTING_WRONG.

    `wpa_supplicant:wlan0` is an interface, `wpa_supplicant:/run/wpa_supplicant` the directory in
    which there is one only, `wpa_supplicant:/run/wpa_supplicant/wlan0` a control socket. Whether
    it answers shows at the first errand.
    """
    kind, _, place = setting.partition(":")
    if setting == OFF:
        return None
    if kind == "wpa_supplicant":
        return open_wpa_supplicant(place)
    raise HomeportError(
        Code.SETTING_WRONG, f'wifi: {setting!r} is neither "off" nor wpa_supplicant:INTERFACE'
    )
