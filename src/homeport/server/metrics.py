# SPDX-License-Identifier: Apache-2.0
"""What is counted and measured, for Prometheus: one entry a metric, names as Prometheus wants them.

No metric has a label that devices can make up: each value is a time series for ever.
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import datetime
from time import perf_counter
from typing import Final, Protocol

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from homeport.http.asgi import App, Receive, Scope, Send

ANSWERS: Final = Counter(
    "homeport_enrolment_answers_total", "Answers to proven devices, by what came of it.", ["state"]
)
PROBLEMS: Final = Counter(
    "homeport_problems_total", "Requests that ended in a problem document, by code.", ["code"]
)
REQUEST_SECONDS: Final = Histogram(
    "homeport_request_seconds",
    "Time from the head of a request to the end of its answer, by door; long polls included.",
    ["door"],
    # A crowd of devices is served in milliseconds; a long poll lasts up to half a minute.
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
REQUESTS_RUNNING: Final = Gauge(
    "homeport_requests_running", "Requests that are being answered now, by door.", ["door"]
)

AUDIT_SEALED: Final = Counter(
    "homeport_audit_sealed_events_total", "Audit events that got a signed head over them."
)
AUDIT_HEADS_PENDING: Final = Gauge(
    "homeport_audit_heads_pending", "Signed heads that could not be written to `audit.heads` yet."
)


class BrokerCounters(Protocol):
    """What the connection to the broker tells of itself."""

    @property
    def is_connected(self) -> bool:
        """Whether the broker answers."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Counts since the start, by name."""
        ...


def measured(app: App, door: str) -> App:
    """Measure how long the door's requests take, and how many there are at once."""
    seconds, running = REQUEST_SECONDS.labels(door), REQUESTS_RUNNING.labels(door)

    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        running.inc()
        try:
            await app(scope, receive, send)
        finally:
            running.dec()
            seconds.observe(perf_counter() - began)

    return timed


class CertificateExpiry(Collector):
    """When the platform's certificates end: alert at less than 20 days, for they renew at 30."""

    def __init__(
        self,
        expiries: Callable[[], Mapping[str, datetime]],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        """Take who knows (`PlatformKeys.expiries`); it is asked at every scrape."""
        self._expiries = expiries
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return one value for each certificate."""
        family = GaugeMetricFamily(
            "homeport_certificate_expiry_timestamp_seconds",
            "End of a certificate of the platform's own, Unix time.",
            labels=["certificate"],
        )
        for name, end in self._expiries().items():
            family.add_metric([name], end.timestamp())
        return [family]


class PlatformGauges(Collector):
    """What is asked for at every scrape: who waits, and what the broker's door counts."""

    def __init__(
        self, waiting: Sized, broker: BrokerCounters, registry: CollectorRegistry = REGISTRY
    ) -> None:
        """Take the long polls, and the connection to the broker."""
        self._waiting, self._broker = waiting, broker
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """Return the values as they are now."""
        yield GaugeMetricFamily(
            "homeport_parked_devices_waiting",
            "Parked devices with a long poll open here.",
            len(self._waiting),
        )
        yield GaugeMetricFamily(
            "homeport_broker_connected",
            "1 while the broker answers.",
            int(self._broker.is_connected),
        )
        family = CounterMetricFamily(
            "homeport_broker_events",
            "Since the start: connections admitted and refused, state messages handled.",
            labels=["event"],
        )
        for name, count in self._broker.counters().items():
            family.add_metric([name], count)
        yield family
