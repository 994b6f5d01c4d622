# SPDX-License-Identifier: Apache-2.0
"""Choose the library: awscrt where it is installed, else paho-mqtt (keys in files only)."""

from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec

from homeport.clock import Clock, SystemClock
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.uplink import Uplink, UplinkSettings


def open_uplink(settings: UplinkSettings, clock: Clock | None = None) -> Uplink:
    """Make a connection that is not yet connected. Raise SETTING_WRONG without a library."""
    return _import()(settings, clock or SystemClock())


def load_library() -> None:
    """Import the library, which takes a while; what may be wrong with it shows at `open_uplink`."""
    with suppress(HomeportError, ImportError):
        _import()


def _import() -> Callable[[UplinkSettings, Clock], Uplink]:
    """Import what the agent's start and its first packet must not wait for."""
    if find_spec("awscrt"):
        from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink  # noqa: PLC0415

        return AwscrtUplink
    if find_spec("paho"):
        from homeport.protocols.mqtt.device.paho_uplink import PahoUplink  # noqa: PLC0415

        return PahoUplink
    raise HomeportError(Code.SETTING_WRONG, "no MQTT library: install homeport[agent]")
