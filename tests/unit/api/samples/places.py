# SPDX-License-Identifier: Apache-2.0
"""Requests about tenants and upstreams."""

from pathlib import Path
from typing import Final

from unit.api.samples.devices import VIEWER
from unit.api.samples.sample import Sample

PEM: Final = (Path(__file__).parents[3] / "vectors/manifest/anchor.pem").read_text()

SAMPLES: Final = {
    "list_tenants": Sample(caller=VIEWER),
    "get_tenant": Sample(path={"tenant_name": "acme"}, caller=VIEWER),
    "add_a_tenant": Sample(said={"name": "coil"}, status=201),
    "list_upstreams": Sample(caller=VIEWER),
    "get_upstream": Sample(path={"upstream_name": "here"}, caller=VIEWER, anybody_may=True),
    "add_an_upstream": Sample(
        said={"name": "edge", "url": "https://edge.example", "domain_certificate": PEM}, status=201
    ),
}
