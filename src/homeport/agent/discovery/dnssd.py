# SPDX-License-Identifier: Apache-2.0
"""The child process that speaks DNS-SD: `python -m homeport.agent.discovery.dnssd`.

`browse` prints each edge found as one JSON line, `announce` registers the device; both end when
their time or their standard input ends, so that they cannot outlive the parent. Only this module
imports `zeroconf`; the agent itself never does (15 MB resident). Not an interface for people.
"""

import argparse
import json
import select
import sys
from collections.abc import Sequence
from typing import Final

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from homeport.agent.discovery.interfaces import interfaces_up

EDGE_TYPE: Final = "_homeport._tcp.local."
DEVICE_TYPE: Final = "_homeport-device._tcp.local."

RESOLVE_LIMIT: Final = 2000
"""Milliseconds for SRV and addresses of one service; an edge sends them with its first answer."""

MAX_ADDRESSES: Final = 8
"""Printed for one service: the parent refuses more."""


class PrintingListener(ServiceListener):
    """Prints a service as a JSON line as soon as it is resolved."""

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Resolve and print."""
        found = zc.get_service_info(type_, name, RESOLVE_LIMIT)
        if found is None or found.server is None or found.port is None:
            return
        line = {
            "host": found.server.removesuffix("."),
            "port": found.port,
            "addresses": found.parsed_scoped_addresses()[:MAX_ADDRESSES],
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Take no notice: the first answer counts."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Take no notice: an edge that has gone will not answer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Browse or announce; return the exit status."""
    parser = argparse.ArgumentParser(prog="homeport.agent.discovery.dnssd")
    verbs = parser.add_subparsers(dest="verb", required=True)
    browsing = verbs.add_parser("browse")
    browsing.add_argument("--seconds", type=float, required=True)
    announcing = verbs.add_parser("announce")
    announcing.add_argument("--instance", required=True)
    announcing.add_argument("--port", type=int, required=True)
    announcing.add_argument("--txt", action="append", default=[])
    chosen = parser.parse_args(arguments)
    zeroconf = _zeroconf()
    try:
        if chosen.verb == "browse":
            ServiceBrowser(zeroconf, EDGE_TYPE, PrintingListener())
            _wait_for_end(chosen.seconds)
        else:
            announced = _announced(chosen.instance, chosen.port, chosen.txt)
            zeroconf.register_service(announced, allow_name_change=True)
            _wait_for_end(None)
            zeroconf.unregister_service(announced)
    finally:
        zeroconf.close()
    return 0


def _zeroconf() -> Zeroconf:
    try:
        return Zeroconf(ip_version=IPVersion.All)
    except OSError:  # a kernel without IPv6
        return Zeroconf(ip_version=IPVersion.V4Only)


def _announced(instance: str, port: int, strings: Sequence[str]) -> ServiceInfo:
    addresses = [
        address.packed
        for each in interfaces_up()
        for address in ((each.ipv4,) if each.ipv4 else ()) + each.ipv6
    ]
    # Each string with its length before it (RFC 6763 section 6.1).
    txt = b"".join(bytes([len(raw)]) + raw for raw in (text.encode() for text in strings))
    host = "homeport-" + instance.rpartition(" ")[2]
    return ServiceInfo(
        DEVICE_TYPE,
        f"{instance}.{DEVICE_TYPE}",
        addresses=addresses,
        port=port,
        properties=txt,
        server=f"{host}.local.",
    )


def _wait_for_end(seconds: float | None) -> None:
    # The parent writes nothing: readable means that it closed the pipe or is gone.
    select.select([sys.stdin], [], [], seconds)


if __name__ == "__main__":
    sys.exit(main())
