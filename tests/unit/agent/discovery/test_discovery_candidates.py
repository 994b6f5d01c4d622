# SPDX-License-Identifier: Apache-2.0
"""The order of candidates, and that a source is asked only when the earlier ones have failed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest

from homeport.agent.discovery.candidates import (
    MAX_CANDIDATES,
    Candidate,
    Source,
)
from homeport.agent.discovery.discover import Ask, Stage, discovering, standard_stages
from homeport.agent.discovery.interfaces import Interface
from homeport.errors import Code, HomeportError

PINNED = Candidate("https://pinned.example", Source.PINNED)
DHCP = Candidate("https://dhcp.example", Source.DHCP)
LAN = Candidate("https://edge.local:8443", Source.DNS_SD, ("10.77.0.11",))
DEFAULT = Candidate("https://default.example", Source.DEFAULT)


class Asked:
    """Sources that note that they were asked."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ended: list[str] = []

    def source(self, name: str, *offers: Candidate | Exception, hangs: bool = False) -> Stage:
        return ((name, self.ask(name, offers, hangs=hangs)),)

    def ask(self, name: str, offers: Sequence[Candidate | Exception], *, hangs: bool) -> Ask:
        async def ask() -> AsyncGenerator[Candidate, None]:
            self.names.append(name)
            try:
                for offer in offers:
                    if isinstance(offer, Exception):
                        raise offer
                    yield offer
                if hangs:
                    await asyncio.Event().wait()
            finally:
                self.ended.append(name)

        return ask


async def take(stages: Sequence[Stage], number: int) -> list[Candidate]:
    taken: list[Candidate] = []
    async with discovering(stages) as candidates:
        async for candidate in candidates:
            taken.append(candidate)
            if len(taken) == number:
                break
    return taken


def test_a_later_source_is_not_asked_while_an_earlier_candidate_may_do() -> None:
    asked = Asked()
    stages = [asked.source("pinned", PINNED), asked.source("dhcp", DHCP)]
    assert asyncio.run(take(stages, 1)) == [PINNED]
    assert asked.names == ["pinned"]


def test_a_source_keeps_its_own_order() -> None:
    own = [Candidate(f"https://{name}.example", Source.DHCP) for name in "cab"]
    asked = Asked()
    stages = [asked.source("dhcp", *own), asked.source("lan", LAN)]
    assert asyncio.run(take(stages, 9)) == [*own, LAN]


def test_not_endlessly_many() -> None:
    many = [Candidate(f"https://e{number}.example", Source.DNS_SD) for number in range(100)]
    asked = Asked()
    assert len(asyncio.run(take([asked.source("lan", *many)], 200))) == MAX_CANDIDATES


def test_a_failing_source_is_passed_over_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    asked = Asked()
    stages = [
        asked.source("forbidden", PermissionError(1, "Operation not permitted")),
        asked.source("broken", HomeportError(Code.MALFORMED, "the reason")),
        asked.source("silent"),
        asked.source("default", DEFAULT),
    ]
    assert asyncio.run(take(stages, 9)) == [DEFAULT]
    assert "forbidden: not allowed" in caplog.text
    assert "CAP_NET_BIND_SERVICE" in caplog.text
    assert "the reason" in caplog.text


def test_what_answers_first_is_tried_first_and_the_rest_is_ended() -> None:
    asked = Asked()
    stage = (*asked.source("slow", hangs=True), *asked.source("quick", DHCP, DHCP, hangs=True))
    assert asyncio.run(take([stage], 1)) == [DHCP]
    assert set(asked.ended) == {"slow", "quick"}


def test_an_address_is_tried_once() -> None:
    asked = Asked()
    twice = Candidate(DHCP.url, Source.DEFAULT)
    stages = [asked.source("dhcp", DHCP, DHCP), asked.source("default", twice, DEFAULT)]
    assert asyncio.run(take(stages, 9)) == [DHCP, DEFAULT]


def test_a_fault_in_our_own_code_is_not_hidden() -> None:
    asked = Asked()
    with pytest.raises(ExceptionGroup):
        asyncio.run(take([asked.source("broken", ZeroDivisionError())], 1))


LOCAL = IPv6Address("fe80::1")
ETH = Interface("eth0", 2, b"\2\0\0\0\0\1", IPv4Address("10.77.0.10"), (LOCAL,))
DUAL = Interface("eth1", 3, b"\2\0\0\0\0\2", None, (LOCAL, IPv6Address("fd77::10")))


def test_the_standard_stages_ask_where_asking_makes_sense() -> None:
    stages = standard_stages(pinned=None, default="https://d.example", interfaces=[ETH, DUAL])
    names = [[name for name, _ in stage] for stage in stages]
    assert names == [
        [],
        ["DHCPv4 on eth0", "DHCPv6 on eth1"],
        ["DNS-SD"],
        ["default address"],
    ]


def test_without_a_network_only_what_is_known_is_offered() -> None:
    stages = standard_stages(
        pinned="https://Pinned.example/", default="https://default.example:443", interfaces=[]
    )
    assert asyncio.run(take(stages, 9)) == [PINNED, DEFAULT]


def test_a_wrong_setting_does_not_stop_discovery(caplog: pytest.LogCaptureFixture) -> None:
    stages = standard_stages(pinned="http://x", default="https://default.example", interfaces=[])
    assert asyncio.run(take(stages, 9)) == [DEFAULT]
    assert "https://" in caplog.text
