# SPDX-License-Identifier: Apache-2.0
"""What Linux says of its interfaces, as text; real ones are in the system tests."""

from ipaddress import IPv4Address, IPv6Address

from homeport.agent.discovery.interfaces import (
    Interface,
    interfaces_up,
    network_facts,
    parse_default_routes,
    parse_if_inet6,
)

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fd770000000000000000000000000010 02 40 00 80     eth0
fe80000000000000d05c6ffffea161ff 02 40 20 80     eth0
fd770000000000000000000000000011 02 40 00 40     eth0
fd770000000000000000000000000012 02 40 00 20     eth0
fe800000000000000000000000000009 10f 40 20 80 wlan0
"""
ROUTE = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	01004D0A	0003	0	0	0	00000000	0	0	0
eth1	00004D0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""
ZERO = "0" * 32
IPV6_ROUTE = f"""\
fd770000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     eth2
{ZERO} 00 {ZERO} 00 fd770000000000000000000000000001 00000400 00000001 00000000 00000003    wlan0
{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo
"""


def test_tentative_and_deprecated_addresses_are_left_out() -> None:
    found = parse_if_inet6(IF_INET6)
    assert found["eth0"] == (IPv6Address("fd77::10"), IPv6Address("fe80::d05c:6fff:fea1:61ff"))
    assert found["wlan0"] == (IPv6Address("fe80::9"),)


def test_default_routes_of_both_families_are_found() -> None:
    assert parse_default_routes(ROUTE, IPV6_ROUTE) == {"eth0", "wlan0"}
    assert parse_default_routes("", "") == frozenset()


def test_network_facts_are_text() -> None:
    addresses = (IPv6Address("fe80::1"), IPv6Address("fd77::10"))
    device = Interface("eth0", 2, bytes.fromhex("020000000001"), IPv4Address("10.7.0.1"), addresses)
    facts = network_facts(device)
    assert facts.mac == "02:00:00:00:00:01"
    assert facts.addresses == ("10.7.0.1", "fe80::1", "fd77::10")
    assert device.link_local == addresses[0]
    assert device.has_routable_ipv6


def test_loopback_is_no_way_out() -> None:
    assert all(not each.name.startswith("lo") for each in interfaces_up())
