# SPDX-License-Identifier: Apache-2.0
"""The resources of the people's door, one file each; a new one gets a line in ROUTERS."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources import (
    bulk,
    contexts,
    factories,
    ownership,
    people,
    tenants,
    trail,
    transfers,
    upstreams,
    vouchers,
)
from homeport.api.server.resources.devices import context, decide, life, look

ROUTERS: Final[Sequence[APIRouter]] = (
    look.router,
    context.router,
    decide.router,
    life.router,
    transfers.router,
    bulk.router,
    tenants.router,
    contexts.router,
    upstreams.router,
    factories.router,
    vouchers.router,
    *ownership.ROUTERS,
    *trail.ROUTERS,
    *people.ROUTERS,
)
