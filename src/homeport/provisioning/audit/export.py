# SPDX-License-Identifier: Apache-2.0
"""The trail as lines of JSON, for archives and others to verify. docs/understand/audit-trail.md.

    {"event":{…}}                      `homeport.domain.trail.lines`
    {"head":{…JWS…},"marks":"…"}       over the events before it, since the head before

A tenant's view has its own events and no heads: without the others' events nothing is recomputed.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from homeport.artefacts.audit_head import HeadVerifier
from homeport.domain.audit import Wanted
from homeport.domain.trail.chain import KeptEvent
from homeport.domain.trail.lines import document_of, document_of_kept, kept_of_document
from homeport.errors import MalformedError
from homeport.pki import base64url
from homeport.provisioning.audit.findings import Report
from homeport.provisioning.audit.verification import Verification
from homeport.provisioning.audit.verify import BEGIN
from homeport.provisioning.ports import Registry, SealedHead

PAGE: Final = 1000


async def export_trail(registry: Registry) -> AsyncIterator[str]:
    """Yield all events, each head after the last event that it covers, and what has none yet."""
    heads, after = _all_heads(registry), BEGIN
    head = await anext(heads, None)
    while page := await _events(registry, after):
        for event in page:
            while head is not None and head.last < event.cursor:
                yield _head_line(head)
                head = await anext(heads, None)
            yield _line({"event": document_of_kept(event)})
        after = page[-1].cursor
    while head is not None:
        yield _head_line(head)
        head = await anext(heads, None)


async def export_view(registry: Registry, wanted: Wanted) -> AsyncIterator[str]:
    """Yield the events that are wanted."""
    after = None
    while page := await registry.read(
        lambda tx: tx.audit.search(wanted, after=after, limit=PAGE)  # noqa: B023 - awaited at once
    ):
        for event in page:
            yield _line({"event": document_of(event)})
        after = page[-1].cursor


def verify_export(
    lines: Iterable[bytes], verifier: HeadVerifier, elsewhere: Iterable[bytes] = ()
) -> Report:
    """Verify an export of the whole trail from its first event on; MalformedError names a line."""
    verification, events = Verification(verifier), list[KeptEvent]()
    for number, line in enumerate(lines, 1):
        try:
            document = _read(line)
            if "event" in document:
                events.append(kept_of_document(document["event"]))
                continue
            signed = json.dumps(document["head"]).encode()
            marks = base64url.decode(document["marks"])
        except (MalformedError, KeyError, TypeError, AttributeError) as error:
            raise MalformedError(f"line {number}: {error}") from None
        _take(verification, signed, marks, events)
        events = []
    verification.end(events)
    for jws in elsewhere:
        verification.compare_with(jws)
    return verification.report


def _take(verification: Verification, signed: bytes, marks: bytes, events: list[KeptEvent]) -> None:
    head = verification.prove(signed)
    if head is not None:
        begin = verification.begin_of(head)
        here = [event for event in events if begin is None or event.cursor > begin]
        verification.take(head, marks, here)


async def _all_heads(registry: Registry) -> AsyncIterator[SealedHead]:
    number = 0
    while page := await registry.read(
        lambda tx: tx.heads.beyond(number, limit=PAGE)  # noqa: B023 - awaited at once
    ):
        for head in page:
            yield head
        number = page[-1].number


async def _events(registry: Registry, after: int) -> Sequence[KeptEvent]:
    return await registry.read(lambda tx: tx.audit.kept(after, limit=PAGE))


def _head_line(head: SealedHead) -> str:
    marks = base64url.encode(head.marks).decode()
    return f'{{"head":{head.jws.decode("utf-8", "replace")},"marks":"{marks}"}}\n'


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _read(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise MalformedError(str(error)) from None
    if not isinstance(document, dict):
        raise MalformedError("not an object")
    return document
