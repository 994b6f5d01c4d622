# SPDX-License-Identifier: Apache-2.0
"""What happened, for programs: the audit trail as a JetStream stream. docs/operate/events.md.

A message's sequence number in the stream *is* its event's cursor. So the stream itself says how far
it has come, nothing is published twice or left out, whoever publishes and however often it is
killed, and a consumer begins at a cursor by beginning at a sequence. Where cursors have a gap, an
empty message fills it.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from homeport.broker.client import Client
from homeport.domain.audit import AuditEvent
from homeport.domain.trail.lines import SUBJECTS, document_of, subject_of
from homeport.errors import Code, HomeportError

STREAM: Final = "HOMEPORT_EVENTS"
GAP: Final = f"{SUBJECTS}._gap"
"""Subject of what fills a gap."""

KEPT: Final = timedelta(days=30)
"""A program that was away longer asks the API, which has everything."""
KEPT_BYTES: Final = 512 * 1024 * 1024
"""A sixteenth of the embedded broker's store; a million events."""
MESSAGE_BYTES: Final = 64 * 1024
"""Far more than an event has."""
AT_ONCE: Final = 64
"""Messages that one acknowledgement is for."""


class EventStream:
    """The stream, made or brought to today's configuration by `last`."""

    def __init__(self, client: Client, *, replicas: int) -> None:
        """Take the connection of the platform's user."""
        self._client = client
        self._replicas = replicas

    async def last(self) -> tuple[int, dict[str, Any] | None]:
        """Return the cursor up to which events are in the stream, and that event's document.

        No document where the stream does not keep it any more. Raise BROKER_UNAVAILABLE.
        """
        jetstream = self._client.jetstream()
        try:
            try:
                info = await jetstream.update_stream(self._configuration())
            except NotFoundError:
                info = await jetstream.add_stream(self._configuration())
            cursor = info.state.last_seq
            if not info.state.messages:
                return cursor, None
            found = await jetstream.get_msg(STREAM, cursor)
        except NotFoundError:  # it aged away between the two questions
            return await self.last()
        except (NatsError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error
        return cursor, json.loads(found.data) if found.data else None

    async def publish(self, cursor: int, events: Sequence[AuditEvent]) -> None:
        """Put events into the stream, which must stand at `cursor`; return when they are kept.

        Raise BROKER_UNAVAILABLE: what was kept then, `last` says.
        """
        messages: list[tuple[int, str, bytes]] = []
        for event in events:
            messages += [(place, GAP, b"") for place in range(cursor + 1, event.cursor)]
            text = json.dumps(document_of(event) | {"story": event.story()}, ensure_ascii=False)
            messages.append((event.cursor, subject_of(event), text.encode()))
            cursor = event.cursor
        for begin in range(0, len(messages), AT_ONCE):
            try:
                await self._send(messages[begin : begin + AT_ONCE])
            except (NatsError, OSError, TimeoutError) as error:
                raise _unavailable(error) from error

    async def begin_anew(self) -> None:
        """Throw the stream away, with its consumers: it tells of another history."""
        try:
            await self._client.jetstream().delete_stream(STREAM)
        except (NatsError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def _send(self, messages: Sequence[tuple[int, str, bytes]]) -> None:
        """Send them in order, and wait for what the broker says of the last.

        It speaks for all: each is refused unless the one before is kept. An answer to each would
        cost three times as much.
        """
        *others, (cursor, subject, payload) = messages
        for number, theirs, content in others:
            await self._client.publish(theirs, content, headers=_headers(number))
        await self._client.jetstream().publish(subject, payload, headers=_headers(cursor))

    def _configuration(self) -> StreamConfig:
        return StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECTS}.>"],
            retention=RetentionPolicy.LIMITS,
            max_age=KEPT.total_seconds(),
            max_bytes=KEPT_BYTES,
            max_msg_size=MESSAGE_BYTES,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
        )


def _headers(cursor: int) -> dict[str, str]:
    return {
        "Nats-Msg-Id": str(cursor),
        "Nats-Expected-Stream": STREAM,
        # The server refuses what would not get its own cursor as its number.
        "Nats-Expected-Last-Sequence": str(cursor - 1),
    }


def _unavailable(error: Exception) -> HomeportError:
    return HomeportError(Code.BROKER_UNAVAILABLE, f"stream of events: {error}")
