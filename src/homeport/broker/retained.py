# SPDX-License-Identifier: Apache-2.0
"""Retained MQTT messages of the platform's own: kept for whoever subscribes later.

NATS keeps them in a stream of its own, one message a topic, the MQTT topic and the packet's flags
in headers; every server of a cluster reads along. A NATS user's publication is not retained, so the
message is put where the broker puts those of MQTT publishers (nats-server, server/mqtt.go). Who
subscribes already is told, at QoS 0: with the connection unbroken it arrives, and after a break the
device subscribes anew and gets what is retained. So nothing piles up for who is away.
"""

import json
from datetime import timedelta
from typing import Final

from nats.errors import Error as NatsError

from homeport.broker.client import Client
from homeport.domain.topics import Topic
from homeport.errors import Code, HomeportError

STREAM: Final = "$MQTT_rmsgs"
"""NATS's own; what it finds under this name it uses."""
_KEPT: Final = "$MQTT.rmsgs."
_TOPIC: Final = "Nmqtt-RTopic"
_FLAGS: Final = "Nmqtt-RFlags"
_RETAIN_QOS_1: Final = "3"
"""MQTT 3.1.1 section 3.3.1: bit 0 RETAIN, bits 1 and 2 the QoS."""
_REMOVED: Final = "-1"
"""Nothing is retained any more (from nats-server 2.12 on; earlier ones pass it over)."""
_PURGE: Final = "$JS.API.STREAM.PURGE."
_ANSWER_SECONDS: Final = 5
SETTLED: Final = timedelta(milliseconds=300)
"""By then every server knows what is retained; on one machine it takes a millisecond."""


async def keep(client: Client, topic: Topic, payload: bytes) -> None:
    """Retain it instead of an earlier one; HomeportError if it is not kept."""
    try:
        await _put(client, topic, payload, _RETAIN_QOS_1)
    except (NatsError, OSError) as error:
        raise HomeportError(Code.BROKER_UNAVAILABLE, f"{topic}: {error}") from error


async def tell(client: Client, topic: Topic, payload: bytes) -> None:
    """Send it to who subscribes now; HomeportError if the broker is away.

    The broker's servers take up what is retained a moment after they have acknowledged it. Who
    subscribes in that moment gets neither: so tell at once, and `SETTLED` later again.
    """
    try:
        await client.publish(topic.subject, payload)
        await client.flush(_ANSWER_SECONDS)
    except (NatsError, OSError, TimeoutError) as error:
        raise HomeportError(Code.BROKER_UNAVAILABLE, f"{topic}: {error}") from error


async def forget(client: Client, topic: Topic) -> None:
    """Retain nothing there any more; HomeportError if that cannot be done now."""
    question = json.dumps({"filter": _KEPT + topic.subject}).encode()
    try:
        await _put(client, topic, b"", _REMOVED)
        said = await client.request(_PURGE + STREAM, question, timeout=_ANSWER_SECONDS)
    except (NatsError, OSError) as error:
        raise HomeportError(Code.BROKER_UNAVAILABLE, f"{topic}: {error}") from error
    if refusal := json.loads(said.data).get("error"):
        raise HomeportError(Code.BROKER_UNAVAILABLE, f"{topic}: {refusal.get('description')}")


async def _put(client: Client, topic: Topic, payload: bytes, flags: str) -> None:
    headers = {_TOPIC: str(topic), _FLAGS: flags}
    await client.jetstream().publish(_KEPT + topic.subject, payload, headers=headers)
