# SPDX-License-Identifier: Apache-2.0
"""A base URL is written in one way, and option content is read or refused as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.address import https_url, platform_url
from homeport.agent.discovery.options import (
    MAX_URI_LENGTH,
    MAX_URIS,
    encode_bootstrap_servers,
    parse_bootstrap_servers,
)
from homeport.errors import MalformedError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://edge.example", "https://edge.example"),
        ("https://edge.example/", "https://edge.example"),
        ("HTTPS://Edge.Example.:443/", "https://edge.example"),
        ("https://edge.example:8443", "https://edge.example:8443"),
        ("https://10.77.0.1:8443/", "https://10.77.0.1:8443"),
        ("https://[FD77:0::0001]:8443", "https://[fd77::1]:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://edge:", "https://edge"),
    ],
)
def test_an_address_is_normalised(text: str, url: str) -> None:
    assert platform_url(text) == url
    assert platform_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "https:///x",
        "http://edge.example",
        "edge.example",
        "https://user@edge.example",
        "https://user:secret@edge.example",
        "https://@edge.example",
        "https://edge.example?",
        "https://edge.example/?q",
        "https://edge.example#f",
        "https://edge.example/path",
        "https://edge.example\\@evil.example",
        "https://edge.example:0",
        "https://edge.example:65536",
        "https://edge.example:-1",
        "https://edge.example:\u0661",
        "https://edge..example",
        "https://-edge.example",
        "https://edge_.-.example",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 127 + "example",
        "https://127.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://010.0.0.1",
        "https://[fe80::1%25eth0]",
        "https://[fe80::1%eth0]",
        "https://[::1",
        "https://::1",
        "https://edge.example\n",
        "https://edge\t.example",
        "https://bücher.example",
        " https://edge.example",
    ],
)
def test_a_doubtful_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        platform_url(text)


def test_a_path_is_cut_off_only_when_asked() -> None:
    assert platform_url("https://edge.example/restconf/x", cut_path=True) == "https://edge.example"


@given(st.text())
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        url = platform_url(text, cut_path=True)
    except MalformedError:
        return
    assert platform_url(url) == url


hosts = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z][a-z0-9]{0,20}){0,3}", fullmatch=True),
    st.ip_addresses().map(str),
)
urls = st.builds(https_url, hosts, st.integers(1, 65535))


@given(st.lists(urls, min_size=1, max_size=MAX_URIS))
def test_what_is_encoded_is_read_again(expected: list[str]) -> None:
    assert parse_bootstrap_servers(encode_bootstrap_servers(expected)) == tuple(expected)


@given(urls)
def test_plain_text_is_read(url: str) -> None:
    assert parse_bootstrap_servers(url.encode()) == (url,)
    assert parse_bootstrap_servers(url.encode() + b"\0") == (url,)


@given(st.binary(max_size=3000))
def test_any_bytes_are_servers_or_malformed(content: bytes) -> None:
    try:
        urls = parse_bootstrap_servers(content)
    except MalformedError:
        return
    assert 0 < len(urls) <= MAX_URIS
    assert all(platform_url(url) == url for url in urls)


def one(uri: bytes) -> bytes:
    return len(uri).to_bytes(2) + uri


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\0\0",
        one(b"https://edge.example")[:-1],
        one(b"https://edge.example") + b"\0",
        b"\xff\xff" + b"https://edge.example",
        one(b"https://edge.example") + one(b"http://edge.example"),
        one(b"https://ok.example") + one(b""),
        one(b"https://b\xc3\xbccher.example"),
        one(b"https://edge.example\0"),
        one(b"https://edge.example") * (MAX_URIS + 1),
        one(b"https://edge.example/" + b"x" * MAX_URI_LENGTH),
        b"http://edge.example",
        b"https://edge.example https://other.example",
        b"https://edge.example/" + b"x" * MAX_URI_LENGTH,
        b"\x14https://edge.example",  # the one-byte length that Kea's `tuple` writes
    ],
)
def test_a_bad_entry_refuses_the_whole_option(content: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_bootstrap_servers(content)


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["https://edge.example"] * (MAX_URIS + 1),
        ["http://edge"],
        ["https://edge/" + "x" * 1024],
    ],
)
def test_what_no_device_would_read_is_not_encoded(uris: list[str]) -> None:
    with pytest.raises(MalformedError):
        encode_bootstrap_servers(uris)
