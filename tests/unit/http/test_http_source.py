# SPDX-License-Identifier: Apache-2.0
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.http.source import peer_address, source_of

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(peer, forwarded=None):
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded)]
    return {"client": peer and (peer, "1234"), "headers": headers}


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        (":::", "unknown"),
        ("unknown", "unknown"),
    ],
)
def test_what_shares_a_rate(address, source):
    assert source_of(address) == source


def test_without_proxies_the_header_is_not_believed():
    assert peer_address(scope("192.0.2.7", b"198.51.100.1")) == "192.0.2.7"
    assert peer_address(scope("192.0.2.7", b"198.51.100.1"), PROXIES) == "192.0.2.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (b"198.51.100.1", "198.51.100.1"),
        (b"6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (b"6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        (b"6.6.6.6,2001:db8::1 ,fd00::5", "2001:db8::1"),
        (b"nonsense", "10.1.1.1"),
        (b"198.51.100.1, nonsense", "10.1.1.1"),
        (b"", "10.1.1.1"),
        (None, "10.1.1.1"),
    ],
)
def test_behind_a_proxy_of_ours(forwarded, address):
    assert peer_address(scope("10.1.1.1", forwarded), PROXIES) == address
    assert peer_address(scope("::ffff:10.1.1.1", forwarded), PROXIES) == address


def test_a_proxy_that_adds_a_line_of_its_own():
    """HAProxy leaves the sender's header as it is and writes another one below it."""
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.1")]
    received = {"client": ("10.1.1.1", "1234"), "headers": lines}
    assert peer_address(received, PROXIES) == "198.51.100.1"


def test_an_ipv4_peer_at_a_dual_stack_socket_is_shown_as_such():
    assert peer_address(scope("::ffff:192.0.2.7")) == "192.0.2.7"
    assert peer_address(scope("2001:db8::7")) == "2001:db8::7"


def test_a_unix_socket_has_no_address():
    assert peer_address(scope(None)) == "unknown"


@given(st.binary(max_size=200))
def test_any_header_gives_an_address(forwarded):
    assert peer_address(scope("10.1.1.1", forwarded), PROXIES)


@given(st.text(max_size=60))
def test_any_text_gives_a_source(address):
    assert source_of(address) is not None
