# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi over wpa_supplicant, by its control socket (wpa_ctrl.h of wpa_supplicant 2.10)."""

from homeport.radio.wifi.wpa_supplicant.station import Limits, WpaSupplicant, open_wpa_supplicant

__all__ = ["Limits", "WpaSupplicant", "open_wpa_supplicant"]
