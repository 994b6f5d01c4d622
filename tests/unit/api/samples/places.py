# SPDX-License-Identifier: Apache-2.0
"""Requests about tenants and upstreams."""

from typing import Final

from unit.api.samples.devices import VIEWER
from unit.api.samples.sample import Sample

SAMPLES: Final = {
    "list_tenants": Sample(caller=VIEWER),
    "get_tenant": Sample(path={"tenant_name": "acme"}, caller=VIEWER),
    "add_a_tenant": Sample(said={"name": "coil"}, status=201),
    "list_upstreams": Sample(caller=VIEWER),
}
