# SPDX-License-Identifier: Apache-2.0
"""What came of each request, in the log and in the metrics."""

import logging
from collections.abc import Mapping
from typing import Final

from homeport.errors import HomeportError
from homeport.http.asgi import Scope
from homeport.http.problem import status_of
from homeport.http.source import peer_address
from homeport.server.metrics import ANSWERS, PROBLEMS
from homeport.telemetry import CODE, DETAIL, FIELDS_KEY, SOURCE, fields_of, note

_log: Final = logging.getLogger("homeport.door")


def note_answer(came_of: str, facts: Mapping[str, object]) -> None:
    """Note an answer to a device that was proven; the context says which."""
    ANSWERS.labels(came_of).inc()
    note(_log, logging.INFO, "enrolment answered", state=came_of, **facts)


def note_failure(scope: Scope, error: Exception) -> None:
    """Note a request that ended in a problem; ours are errors with a trace."""
    facts: dict[str, object] = {"path": scope["path"][:100], SOURCE: peer_address(scope)}
    facts |= fields_of(error)
    if isinstance(error, HomeportError):
        PROBLEMS.labels(error.code).inc()
        facts |= {CODE: error.code, DETAIL: error.detail}
        level = logging.WARNING if status_of(error.code) >= 500 else logging.INFO  # noqa: PLR2004
        note(_log, level, "request refused", **facts)
    else:
        PROBLEMS.labels("internal-error").inc()
        _log.error("request failed", exc_info=error, extra={FIELDS_KEY: facts})
