# SPDX-License-Identifier: Apache-2.0
"""docs/reference/metrics.md, from what the platform registers with the Prometheus client."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

from homeport.server import metrics
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Metrics

At `/metrics` of the operations door (`listen.operations_port`), in Prometheus' text format; beside
these, what the Prometheus client itself says of the process.

"""


def page() -> str:
    """One row a metric, named as it is scraped."""
    rows = [
        (f"`{_scraped(family)}`", family.type, ", ".join(labels) or "–", family.documentation)
        for family, labels in sorted(_families(), key=lambda found: found[0].name)
    ]
    return INTRODUCTION + table(("name", "kind", "labels", "meaning"), rows)


def _families() -> Iterator[tuple[Metric, Sequence[str]]]:
    """Yield what is counted where it happens, and what is asked for at every scrape."""
    for _, metric in inspect.getmembers(metrics):
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                yield family, metric._labelnames  # noqa: SLF001
    registry = CollectorRegistry()
    metrics.PlatformGauges((), _AnyBroker(), registry)
    metrics.CertificateExpiry(dict, registry)
    for family in registry.collect():
        yield family, family._labelnames  # type: ignore[attr-defined]  # noqa: SLF001


class _AnyBroker:
    is_connected = True

    def counters(self) -> Mapping[str, int]:
        return {}


def _scraped(family: Metric) -> str:
    """OpenMetrics' names: a counter's samples end so."""
    return f"{family.name}_total" if family.type == "counter" else family.name
