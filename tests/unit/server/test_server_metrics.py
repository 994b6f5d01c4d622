# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from homeport.server.metrics import CertificateExpiry, measured


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


async def nothing(*_message):
    return {}


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_requests_are_measured_also_when_they_fail(error):
    running = []

    async def app(scope, receive, send):
        running.append(value("homeport_requests_running", door="test"))
        if error:
            raise error

    async def ask():
        await measured(app, "test")({}, nothing, nothing)

    before = value("homeport_request_seconds_count", door="test")
    if error:
        with pytest.raises(error):
            asyncio.run(ask())
    else:
        asyncio.run(ask())
    assert running == [1]
    assert value("homeport_requests_running", door="test") == 0
    assert value("homeport_request_seconds_count", door="test") == before + 1


def test_the_end_of_certificates_is_asked_at_every_scrape():
    ends = {"server": datetime(2027, 1, 1, tzinfo=UTC)}
    registry = CollectorRegistry()
    CertificateExpiry(lambda: ends, registry)
    name = "homeport_certificate_expiry_timestamp_seconds"
    assert registry.get_sample_value(name, {"certificate": "server"}) == 1798761600
    ends["server"] = datetime(2028, 1, 1, tzinfo=UTC)
    assert registry.get_sample_value(name, {"certificate": "server"}) == 1830297600
