# SPDX-License-Identifier: Apache-2.0
"""The resources of the people's door, one file each; a new one gets a line in ROUTERS."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources import tenants, upstreams

ROUTERS: Final[Sequence[APIRouter]] = (
    tenants.router,
    upstreams.router,
)
