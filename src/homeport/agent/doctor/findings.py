# SPDX-License-Identifier: Apache-2.0
"""What a check found: good, doubtful, bad or not looked at, with an advice where there is one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from homeport.errors import HomeportError
from homeport.telemetry import visible


class Verdict(StrEnum):
    """How it is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""

    @classmethod
    def of_error(cls, check: str, error: HomeportError) -> Self:
        """What an error of ours means."""
        return cls(check, Verdict.BAD, str(error), error.advice)

    def as_text(self) -> str:
        """For people."""
        line = f"{self.verdict:<9} {self.check}: {visible(self.found)}"
        return f"{line}\n{'':10}{self.advice}" if self.advice else line

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return {
            "check": self.check,
            "verdict": self.verdict,
            "found": self.found,
            "advice": self.advice,
        }


def good(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.GOOD, found)


def doubtful(check: str, found: str, advice: str) -> Finding:
    """It may do, or not."""
    return Finding(check, Verdict.DOUBTFUL, found, advice)


def skipped(check: str, why: str) -> Finding:
    """It could not be looked at."""
    return Finding(check, Verdict.SKIPPED, why)
