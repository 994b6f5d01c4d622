# SPDX-License-Identifier: Apache-2.0
"""Choose the library: awscrt where it is installed, else paho-mqtt (keys in files only)."""

from importlib.util import find_spec

from homeport.clock import Clock, SystemClock
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.uplink import Uplink, UplinkSettings


def open_uplink(settings: UplinkSettings, clock: Clock | None = None) -> Uplink:
    """Make a connection that is not yet connected.

    Libraries are imported here, when the device is about to connect, not at the agent's start.
    """
    if find_spec("awscrt"):
        from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink  # noqa: PLC0415

        return AwscrtUplink(settings, clock or SystemClock())
    if find_spec("paho"):
        from homeport.protocols.mqtt.device.paho_uplink import PahoUplink  # noqa: PLC0415

        return PahoUplink(settings, clock or SystemClock())
    raise HomeportError(Code.SETTING_WRONG, "no MQTT library: install homeport[agent]")
