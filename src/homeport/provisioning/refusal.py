# SPDX-License-Identifier: Apache-2.0
"""A verb's refusal: returned, not raised, because its audit event must be kept."""

from dataclasses import dataclass

from homeport.errors import Code


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request does not stand."""

    code: Code
    detail: str
