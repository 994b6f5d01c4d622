# SPDX-License-Identifier: Apache-2.0
"""`/audit` and `/events`: what happened, as a list, as an archive, and as it happens."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources.trail import audit, events

ROUTERS: Final[Sequence[APIRouter]] = (audit.router, events.router)
