# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi: the port, and what speaks to the board's own Wi-Fi programs; chosen by a setting."""

from homeport.radio.wifi.choose import open_wifi
from homeport.radio.wifi.port import Profile, Security, Seen, Wifi

__all__ = ["Profile", "Security", "Seen", "Wifi", "open_wifi"]
