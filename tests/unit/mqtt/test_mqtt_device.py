# SPDX-License-Identifier: Apache-2.0
"""The device's half: who gets which message, and how a proxy is written."""

import pytest

from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.inbox import EARLY_LIMIT, Inbox, matches
from homeport.protocols.mqtt.device.uplink import Proxy


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b", "a", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),  # MQTT 3.1.1 section 4.7.1.2
        ("#", "a/b", True),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("a/+/#", "a", False),
        ("a/b/#", "a/c", False),
    ],
)
def test_topic_filters(pattern: str, topic: str, expected: bool) -> None:
    assert matches(pattern, topic) is expected


def test_what_came_early_is_kept_for_its_handler() -> None:
    inbox, heard = Inbox(), []
    inbox.put("a/1", b"1")
    inbox.put("b/1", b"2")
    inbox.add("a/#", lambda topic, payload: heard.append((topic, payload)))
    inbox.put("a/2", b"3")
    assert heard == [("a/1", b"1"), ("a/2", b"3")]
    inbox.add("b/#", lambda topic, payload: heard.append((topic, payload)))
    assert heard[2:] == [("b/1", b"2")]


def test_what_nobody_wants_does_not_fill_the_memory() -> None:
    inbox, heard = Inbox(), []
    for number in range(EARLY_LIMIT + 10):
        inbox.put(f"a/{number}", b"")
    inbox.add("a/#", lambda topic, _: heard.append(topic))
    assert len(heard) == EARLY_LIMIT
    assert heard[-1] == f"a/{EARLY_LIMIT + 9}"


def test_a_proxy_is_read_and_its_password_not_shown() -> None:
    assert Proxy.parse("http://proxy.example:3128") == Proxy("proxy.example", 3128)
    assert Proxy.parse("http://[2001:db8::1]:80/") == Proxy("2001:db8::1", 80)
    proxy = Proxy.parse("http://user:secret@192.0.2.1:8080")
    assert proxy.authorization == "user:secret"
    assert "secret" not in repr(proxy)


@pytest.mark.parametrize(
    "url",
    ["", "proxy:3128", "https://proxy:3128", "http://proxy", "http://proxy:0", "http://a:b:1"],
)
def test_another_text_is_no_proxy(url: str) -> None:
    with pytest.raises(HomeportError) as failed:
        Proxy.parse(url)
    assert failed.value.code is Code.SETTING_WRONG
