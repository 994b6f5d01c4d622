# SPDX-License-Identifier: Apache-2.0
"""Whose devices are: claims, the ledger, sales records."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources.ownership import claims, ledger, sales

ROUTERS: Final[Sequence[APIRouter]] = (claims.router, ledger.router, sales.router)
