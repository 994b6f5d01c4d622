# SPDX-License-Identifier: Apache-2.0
"""What is told about a running program: the names of log fields and metrics, in one place.

Rooms log through the standard library with `note`; the program decides how lines look and where
they go (`homeport.server.logging` on the platform). Rules: an event is a sentence without values,
the values are fields, a field has one name everywhere, and none of them is a secret.
"""

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

DEVICE: Final = "device"
"""The device's id, in every line that is about one."""
ENROLMENT: Final = "enrolment"
REQUEST: Final = "request"
"""The device's own id of its request."""
TENANT: Final = "tenant"
UPSTREAM: Final = "upstream"
CERTIFICATE: Final = "certificate"
"""Number of a certificate, hex, as certificates are shown."""
PROFILE: Final = "profile"
CODE: Final = "code"
"""Of the error catalogue."""
DETAIL: Final = "detail"
SOURCE: Final = "source"
"""From where a request came: address or IPv6 prefix."""

FIELDS_KEY: Final = "homeport_fields"
"""Attribute of a log record in which the fields travel; formatters read it."""

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_context: ContextVar[Mapping[str, object]] = ContextVar("homeport_log_context", default=_NOTHING)


@contextmanager
def about(**fields: object) -> Generator[None]:
    """Add fields to every line that is logged inside, in this task and those it starts.

    An error that leaves takes them along, for whoever notes it outside (`fields_of`).
    """
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    except Exception as error:
        if not hasattr(error, FIELDS_KEY):  # the innermost block knows most
            setattr(error, FIELDS_KEY, _context.get())
        raise
    finally:
        _context.reset(token)


def fields_of(error: Exception) -> Mapping[str, object]:
    """Return the fields of the `about` that the error has left."""
    fields: Mapping[str, object] = getattr(error, FIELDS_KEY, _NOTHING)
    return fields


def visible(text: str) -> str:
    """Escape what does not print: words of others must not drive the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def context() -> Mapping[str, object]:
    """Return the fields that `about` added here."""
    return _context.get()


def note(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log an event with its fields, and with those that `about` added."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={FIELDS_KEY: {**_context.get(), **fields}})
