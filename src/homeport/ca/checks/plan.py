# SPDX-License-Identifier: Apache-2.0
"""A certificate as planned: what checks look at."""

from dataclasses import dataclass
from datetime import datetime

from homeport.ca.drafts import Draft
from homeport.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Plan:
    """The draft, its validity, and what must be known of the CA that would sign it."""

    draft: Draft
    not_before: datetime
    not_after: datetime
    ca_not_before: datetime
    ca_not_after: datetime
    ca_keys: tuple[PublicKey, ...]
    """Of this CA and those above it."""
