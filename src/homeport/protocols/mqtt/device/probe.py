# SPDX-License-Identifier: Apache-2.0
"""Ask the broker for its certificate alone, to say why a connection does not come about.

`awscrt` says "TLS failed" after up to half a minute, whoever refused whom. Here only the broker is
verified, with the same anchors and name, by Python's own TLS, in one handshake.
"""

import asyncio
import ssl
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.tunnel import dial
from homeport.protocols.mqtt.device.uplink import UplinkSettings

PROBE_SECONDS: Final = 8.0


async def check_platform(settings: UplinkSettings) -> None:
    """Return if the broker's certificate holds, or cannot be had at all.

    HomeportError: PLATFORM_UNPROVEN if it does not hold, UPSTREAM_UNREACHABLE if nobody is there.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=settings.anchors.decode())
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await dial(settings.host, settings.port, settings.proxy)
            try:
                await writer.start_tls(context, server_hostname=settings.server_name)
            finally:
                writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        raise HomeportError(Code.PLATFORM_UNPROVEN, error.verify_message) from error
    except (OSError, TimeoutError):  # it wants our certificate before it goes on: says nothing
        return
