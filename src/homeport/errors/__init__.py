# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in one table: a stable code, its kind, a title and an advice.

Facts inside, dialect outside, advice for people: code raises a fact (`Code`) with a detail; each
door turns the *kind* into its own dialect (one table per door); people are shown the advice.
What a device is told (code, title, advice) is less than what is logged (also the detail).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from homeport.errors.catalogue import CATALOGUE, Entry
from homeport.errors.codes import Code, Kind

__all__ = ["CATALOGUE", "Code", "Entry", "HomeportError", "Kind", "MalformedError"]


class HomeportError(Exception):
    """A fact that stopped us: a code of the catalogue, what exactly, and maybe when to try again.

    `detail` is for logs and for people on our side; it must not hold secrets. It is not sent to
    devices.
    """

    def __init__(
        self, code: Code, detail: str = "", *, retry_after: timedelta | None = None
    ) -> None:
        """Take the code, the particulars of this case and the time after which to try again."""
        super().__init__(code, detail)
        self.code: Final = code
        self.detail: Final = detail
        self.retry_after: Final = retry_after

    @property
    def kind(self) -> Kind:
        """The sort of failure, for the door's table."""
        return CATALOGUE[self.code].kind

    @property
    def title(self) -> str:
        """The failure in a sentence."""
        return CATALOGUE[self.code].title

    @property
    def advice(self) -> str:
        """What to do next."""
        return CATALOGUE[self.code].advice

    def __str__(self) -> str:
        return f"{self.title} ({self.detail})" if self.detail else self.title

    def as_dict(self) -> Mapping[str, str]:
        """What commands say of it with `--json`."""
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "advice": self.advice,
        }


class MalformedError(HomeportError):
    """Bytes that cannot be read. Parsers return a message or raise this, nothing else."""

    def __init__(self, detail: str, code: Code = Code.MALFORMED) -> None:
        """Take what is wrong with the bytes, and a narrower code where there is one."""
        super().__init__(code, detail)
