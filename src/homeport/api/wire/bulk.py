# SPDX-License-Identifier: Apache-2.0
"""One thing done to many devices."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints

from homeport.api.wire.life import DeviceName
from homeport.api.wire.model import Document, Name, Title
from homeport.domain.device import SERIAL_NUMBER_MAX
from homeport.domain.enrolment import State
from homeport.domain.life.bulk import Came, Result
from homeport.errors import Code

CHUNK_MAX: Final = 200
"""Devices in one request: each takes a transaction, and the caller wants to see progress."""


class BulkFilter(Document):
    """Which of one's devices are meant, as in their list."""

    tenant: Name | None = None
    state: State | Literal["registered"] | None = None
    model: Annotated[str, StringConstraints(max_length=100)] | None = None
    online: bool | None = None
    search: Annotated[str, StringConstraints(max_length=SERIAL_NUMBER_MAX)] = ""
    """How the serial number begins."""


class Bulk(Document):
    """Which devices, and whether it is meant; exactly one of `devices` and `filter`."""

    devices: Annotated[list[DeviceName], Field(min_length=1, max_length=CHUNK_MAX)] | None = None
    """Ids. All must be the caller's to do that to, or nothing is done."""
    filter: BulkFilter | None = None
    """Some are done in each request: go on with `after` while the answer's `next` is not null."""
    after: Annotated[str, StringConstraints(max_length=300)] | None = None
    dry_run: bool = False
    """Say what would be done, and do nothing."""


class BulkOperation(Bulk):
    """What is done by those who operate devices."""

    action: Literal["renew", "rekey", "reset", "revoke", "readmit", "quarantine", "release"]
    reason: Annotated[Title, Field(min_length=1)] = "for many at once"
    """Of a revocation or quarantine."""
    keeps_context: bool = True
    """At a reset."""


class BulkTransfer(Bulk):
    """What is done by those who give devices away."""

    action: Literal["offer", "withdraw", "decommission"]
    tenant: Name | None = None
    """To whom they are offered."""


class BulkResult(Document):
    """What came of it for one device."""

    device: str
    result: Came
    code: Code | None
    """Why it was refused."""
    detail: str

    @classmethod
    def of(cls, result: Result) -> Self:
        """Show a result."""
        return cls(
            device=str(result.device), result=result.came, code=result.code, detail=result.detail
        )


class BulkResults(Document):
    """What came of it, device by device."""

    items: list[BulkResult]
    next: str | None
    """Give it as `after` to go on; null: these were all."""
