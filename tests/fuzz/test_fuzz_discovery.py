# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for what strangers on the LAN write: DHCP, DHCPv6, their options, DNS-SD lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from fuzz.mutate import fuzz
from homeport.address import platform_url
from homeport.agent.discovery import dhcp4, dhcp6
from homeport.agent.discovery.options import parse_bootstrap_servers
from homeport.agent.discovery.packet import udp_payload
from homeport.agent.discovery.services import parse_service
from homeport.errors import MalformedError

CORPUS: Final = Path(__file__).parent / "corpus"
XID: Final = b"\x01\x02\x03\x04"
MAC: Final = bytes.fromhex("020000000001")

TARGETS: Final[dict[str, Callable[[bytes], object]]] = {
    "dhcp4": lambda datagram: dhcp4.read_bootstrap_servers(datagram, XID, MAC),
    "dhcp4-packet": lambda packet: dhcp4.parse_reply(udp_payload(packet)),
    "dhcp6": lambda datagram: dhcp6.read_bootstrap_servers(datagram, XID[:3], MAC),
    "bootstrap-servers": lambda content: [
        platform_url(url) for url in parse_bootstrap_servers(content)
    ],
    "dnssd-line": parse_service,
}


@pytest.mark.parametrize("name", TARGETS)
def test_discovery_parsers(name: str) -> None:
    assert fuzz(TARGETS[name], CORPUS / name, allowed=(MalformedError,)) > 0
