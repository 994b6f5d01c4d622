# SPDX-License-Identifier: Apache-2.0
"""Whose is it: the states of a device's ownership, the epoch that counts owners, sales records.

What became of it over the years, the ledger, is told from the audit trail.
"""

from homeport.domain.ownership.sales import (
    SalesAction,
    SalesRecord,
    Scope,
    SerialRange,
    WholeModel,
    contradicted,
    only_serial,
)
from homeport.domain.ownership.sales_import import ImportState, SalesImport
from homeport.domain.ownership.states import (
    HELD,
    NO_EPOCH,
    Ownership,
    OwnershipEvent,
    Proof,
    ownership_after,
)

__all__ = [
    "HELD",
    "NO_EPOCH",
    "ImportState",
    "Ownership",
    "OwnershipEvent",
    "Proof",
    "SalesAction",
    "SalesImport",
    "SalesRecord",
    "Scope",
    "SerialRange",
    "WholeModel",
    "contradicted",
    "only_serial",
    "ownership_after",
]
