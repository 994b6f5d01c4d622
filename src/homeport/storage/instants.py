# SPDX-License-Identifier: Apache-2.0
"""Instants as the database keeps them: whole microseconds since 1970 in UTC, exact both ways."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970; a naive datetime is a TypeError."""
    return (instant - _EPOCH) // _MICROSECOND


def to_instant(micros: int) -> datetime:
    """The aware datetime, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def to_micros_or_none(instant: datetime | None) -> int | None:
    """Microseconds since 1970, if there is an instant."""
    return None if instant is None else to_micros(instant)


def to_instant_or_none(micros: int | None) -> datetime | None:
    """The aware datetime, if there is one."""
    return None if micros is None else to_instant(micros)
