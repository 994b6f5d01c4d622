# SPDX-License-Identifier: Apache-2.0
"""docs/reference/metrics.md, from what the platform registers with the Prometheus client."""

import inspect
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from homeport.server import metrics
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Metrics

At `/metrics` of the operations door (`listen.operations_port`), in Prometheus' text format; beside
these, what the Prometheus client itself says of the process.

"""


def page() -> str:
    """One row a metric."""
    found = [m for _, m in inspect.getmembers(metrics) if isinstance(m, MetricWrapperBase)]
    rows = [
        (f"`{m._name}`", str(m._type), ", ".join(m._labelnames) or "–", str(m._documentation))  # noqa: SLF001
        for m in sorted(found, key=lambda m: m._name)  # noqa: SLF001
    ]
    return INTRODUCTION + table(("name", "kind", "labels", "meaning"), rows)
