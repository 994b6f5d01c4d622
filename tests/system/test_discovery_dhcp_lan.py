# SPDX-License-Identifier: Apache-2.0
"""Discovery on a real LAN with a real DHCP server, and with one that lies."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.network import GATEWAY4, Lan, Link
from homeport.agent.discovery.options import encode_bootstrap_servers

pytestmark = pytest.mark.system

FAKES: Final = Path(__file__).parent.parent / "fakes"
DISCOVER: Final = (sys.executable, FAKES / "discover.py")
SERVERS: Final = ("https://sztp.example:4443", "https://10.78.0.2:8443")
WITHOUT_PRIVILEGE: Final = ("setpriv", "--bounding-set=-net_bind_service,-net_raw")


def binary(uris: Sequence[str] = SERVERS) -> str:
    return encode_bootstrap_servers(uris).hex(":")


def discover(
    lan: Lan, *arguments: str, wrap: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """Run discovery to its end: candidates, the other lines in one, and the log."""
    done = lan.run_in("device", [*wrap, *DISCOVER, *arguments])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    facts = {key: value for line in lines if "url" not in line for key, value in line.items()}
    return [line for line in lines if "url" in line], facts, done.stderr


def urls(candidates: list[dict[str, Any]], source: str = "dhcp") -> list[str]:
    return [each["url"] for each in candidates if each["source"] == source]


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with Lan(("device", "edge")) as built:
        yield built


@pytest.fixture(scope="module")
def lan4() -> Iterator[Lan]:
    """A LAN without IPv6 addresses, where the device has a lease."""
    with Lan(("device",), static=False) as built:
        built.start_dnsmasq(dhcp6=False)
        built.lease("device")
        yield built


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (f"dhcp-option-force=143,{binary()}", list(SERVERS)),
        ('dhcp-option-force=143,"https://plain.example/bootstrap"', ["https://plain.example"]),
    ],
    ids=["binary", "plain text"],
)
def test_option_143_from_a_real_server(lan4: Lan, option: str, expected: list[str]) -> None:
    lan4.start_dnsmasq(option, dhcp6=False)
    candidates, facts, log = discover(lan4, f"--take={len(expected)}")
    assert urls(candidates) == expected, log
    assert candidates[0]["after"] < 0.9  # the first request was answered
    (network,) = facts["interfaces"]
    assert network["interface"] == "eth0"
    assert network["addresses"][0].startswith("10.77.0.1")
    assert "DHCPINFORM" in lan4.dnsmasq_log()


def test_without_packet_sockets_the_answer_still_comes(lan4: Lan) -> None:
    lan4.start_dnsmasq(f"dhcp-option-force=143,{binary()}", dhcp6=False)
    candidates, _, log = discover(lan4, "--take=2", wrap=("setpriv", "--bounding-set=-net_raw"))
    assert urls(candidates) == list(SERVERS), log
    assert "no CAP_NET_RAW" in log


def test_option_136_from_a_real_server_with_ipv6_alone(lan: Lan) -> None:
    lan.start_dnsmasq(f"dhcp-option=option6:136,{binary()}", dhcp4=False)
    candidates, _, log = discover(lan, "--take=2")
    assert urls(candidates) == list(SERVERS), log
    assert "DHCPINFORMATION-REQUEST" in lan.dnsmasq_log()


def test_pinned_is_first_and_both_families_are_asked_at_once(lan: Lan) -> None:
    option6 = f"dhcp-option=option6:136,{binary(['https://six.example'])}"
    lan.start_dnsmasq(f"dhcp-option-force=143,{binary(['https://four.example'])}", option6)
    candidates, _, log = discover(lan, "--pinned=https://pinned.example", "--take=3")
    assert candidates[0]["url"] == "https://pinned.example", log
    assert sorted(urls(candidates)) == ["https://four.example", "https://six.example"]
    # Neither waited for the other: DHCPv6 alone may take a second (its first delay).
    assert max(each["after"] for each in candidates) < 3


def test_silence_ends_and_the_default_remains(lan4: Lan) -> None:
    lan4.stop_dnsmasq()
    candidates, facts, log = discover(lan4, "--default=https://default.example")
    assert urls(candidates, "default") == ["https://default.example"]
    assert len(candidates) == 1
    assert "DHCPv4 on eth0: no answer" in log
    assert 4 < facts["ended"] < 15


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (["foreign-xid", "foreign-mac", "nak", "good"], ["https://good.example"]),
        (["length-beyond-option", "cut-header", "empty", "good"], ["https://good.example"]),
        (["option-beyond-message", "length-zero", "http", "good"], ["https://good.example"]),
        (["foreign-xid", "length-beyond-option"], []),
    ],
)
def test_a_lying_server(lan4: Lan, cases: list[str], expected: list[str]) -> None:
    lan4.stop_dnsmasq()
    server = lan4.start_in("gateway", [sys.executable, FAKES / "dhcp_server.py", "br0", *cases])
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    try:
        candidates, _, log = discover(lan4, f"--take={len(expected)}")
    finally:
        server.kill()
        server.wait()
    assert urls(candidates) == expected, log
    if "length-beyond-option" in cases:
        assert "longer than the option" in log


def test_an_option_longer_than_255_bytes(lan4: Lan) -> None:
    lan4.stop_dnsmasq()
    server = lan4.start_in("gateway", [sys.executable, FAKES / "dhcp_server.py", "br0", "long"])
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    try:
        candidates, _, log = discover(lan4, "--take=4")
    finally:
        server.kill()
        server.wait()
    assert [url.rpartition(":")[2] for url in urls(candidates)] == ["1", "2", "3", "4"], log


def test_without_privilege_the_next_source_is_asked(lan: Lan) -> None:
    lan.start_dnsmasq(f"dhcp-option-force=143,{binary()}")
    candidates, _, log = discover(lan, "--default=https://default.example", wrap=WITHOUT_PRIVILEGE)
    assert [each["url"] for each in candidates] == ["https://default.example"], log
    for family in ("DHCPv4", "DHCPv6"):
        assert f"{family} on eth0: not allowed" in log
    assert "CAP_NET_BIND_SERVICE" in log


HOLD_PORT: Final = """
import socket, sys
address, server = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    sock.bind((address, 68))
    if server:
        sock.connect((server, 67))
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("address", "server"),
    [("0.0.0.0", ""), ("10.77.0.10", ""), ("10.77.0.10", GATEWAY4)],
    ids=["any address (dhclient)", "bound (systemd-networkd)", "connected (NetworkManager)"],
)
def test_beside_the_hosts_own_dhcp_client(lan: Lan, address: str, server: str) -> None:
    lan.start_dnsmasq(f"dhcp-option-force=143,{binary()}")
    client = lan.start_in("device", [sys.executable, "-c", HOLD_PORT, address, server])
    assert client.stdout is not None
    assert client.stdout.readline() == "ready\n"
    try:
        candidates, _, log = discover(lan, "--take=2")
    finally:
        client.kill()
        client.wait()
    assert urls(candidates) == list(SERVERS), log


def test_over_a_bad_cable() -> None:
    cable = Link(timedelta(milliseconds=100), loss=0.05, seed="dhcp")
    with Lan(static=False, cables={"device": cable}) as lan:
        lan.start_dnsmasq(f"dhcp-option-force=143,{binary()}", dhcp6=False)
        lan.lease("device")
        candidates, _, log = discover(lan, "--take=2")
        assert urls(candidates) == list(SERVERS), log
        assert candidates[0]["after"] >= 0.2
