# SPDX-License-Identifier: Apache-2.0
"""The device's half of MQTT: one connection to its upstream, by whichever library there is."""

from homeport.protocols.mqtt.device.commands import Commander, read_signed_command
from homeport.protocols.mqtt.device.open import load_library, open_uplink
from homeport.protocols.mqtt.device.uplink import Handler, Proxy, Uplink, UplinkSettings, Will

__all__ = [
    "Commander",
    "Handler",
    "Proxy",
    "Uplink",
    "UplinkSettings",
    "Will",
    "load_library",
    "open_uplink",
    "read_signed_command",
]
