# SPDX-License-Identifier: Apache-2.0
"""The agent is killed at every act and in every state, against a real platform.

Wherever it was, the next start ends at home: one certificate a request, one that counts, no key
left over. (Against a fake platform: tests/integration/test_agent_power_cut.py.)
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fakes.books import Books
from fakes.cut import KILLED, Cutter, Ended, Order
from fakes.fleet import name_of, remembered, state_of, witnessed
from fakes.live import LiveFactory, LivePlatform
from fakes.waiting import wait_until
from homeport.agent.journey import State
from homeport.agent.memory.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.slow]

MORE = """
[rates]
source_per_second = 100000.0
source_burst = 100000
device_per_second = 1000.0
device_burst = 1000
[enrolment]
second_key = "accept"
"""
ACTS_MAX = 80
"""Instants of a journey are fewer: two for each act."""
RANDOM_CUTS = 25


class Site:
    """Platform, factory and the program that cuts."""

    def __init__(self, directory: Path, platform: LivePlatform) -> None:
        self.directory = directory
        self.platform = platform
        self.factory = LiveFactory(directory / "factory", platform)
        self.cutter = Cutter(directory / "agents.log")

    def run(self, device: Path, **changes: object) -> Ended:
        order = Order(device=str(device), address=self.platform.address)
        return self.cutter.run(msgspec.structs.replace(order, **changes))

    def goes_home(self, device: Path, **changes: object) -> None:
        ended = self.run(device, **changes)
        assert ended.status == 0, (self.directory / "agents.log").read_text("utf-8")[-4000:]

    def books(self) -> Books:
        return Books(self.platform.registry)

    def check(self, device: Path) -> None:
        """Platform and device agree, and nothing is left over."""
        present = name_of(remembered(device))
        wait_until(lambda: self.is_settled(device, present))
        given = witnessed(device)
        requests = dict(given)
        assert all(requests[request] == name for request, name in given), given
        credential = remembered(device).credential
        assert credential is not None
        keys = {str(path) for path in (state_of(device) / "keys").iterdir()}
        assert keys == {credential.key.removeprefix("file:")}

    def is_settled(self, device: Path, present: str) -> bool:
        """Whether the platform, too, counts this certificate alone, and has seen it."""
        books = self.books()
        name = books.device(device.name)
        run = books.runs[books.credentials[present]["enrolment"]]
        return books.current(name) == [present] and run["state"] == "operational"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    with LivePlatform(directory, MORE) as platform:
        platform.operate("tenant", "add", "acme")
        made = Site(directory, platform)
        yield made
        made.cutter.end()
        assert made.books().faults() == []


@pytest.fixture(scope="module")
def devices(site: Site) -> list[Path]:
    """Enough for all cuts, and sold."""
    return site.factory.mint_sold(ACTS_MAX, "acme")


@pytest.mark.timeout(300)
def test_killed_at_every_act(site: Site, devices: list[Path]) -> None:
    """Enrolment first; then the same devices renew."""
    cut = cut_at_every_act(site, devices, lambda _: "")
    assert cut >= 16
    for device in devices[cut:]:
        site.goes_home(device)

    def make_due(device: Path) -> str:
        make_renewal_due(device)
        credential = remembered(device).credential
        assert credential
        return credential.key

    assert cut_at_every_act(site, devices, make_due) >= 16


def cut_at_every_act(site: Site, devices: list[Path], prepare: Callable[[Path], str]) -> int:
    """Cut each device one instant later than the one before; return how many instants there are."""
    for number, device in enumerate(devices, 1):
        key_before = prepare(device)
        cut = site.run(device, cut_at=number, key_before=key_before)
        if cut.status == 0:
            assert cut.passed < number
            site.check(device)
            return number - 1
        assert cut.status == KILLED
        site.goes_home(device, key_before=key_before)
        site.check(device)
    raise AssertionError(f"more than {len(devices)} instants")


def make_renewal_due(device: Path) -> None:
    """Write into the device's memory that its certificate is to be renewed by now."""
    store = Store(state_of(device))
    credential = store.saved.credential
    assert credential
    due = msgspec.structs.replace(credential, renew_at=0)
    store.save(msgspec.structs.replace(store.saved, credential=due))


@pytest.mark.timeout(200)
def test_killed_after_a_random_while(site: Site) -> None:
    """Also between a request and its answer, and in the middle of a handshake."""
    chance = random.Random(11)
    for device in site.factory.mint_sold(RANDOM_CUTS, "acme"):
        for _ in range(3):
            site.run(device, cut_after=chance.uniform(0.01, 0.35))
        site.goes_home(device)
        site.check(device)


def test_killed_between_the_renewals_answer_and_the_first_connection(
    site: Site, devices: list[Path]
) -> None:
    device = devices[-1]
    site.goes_home(device)
    make_renewal_due(device)
    before = remembered(device)
    assert before.credential
    key = before.credential.key
    cut_in(site, device, State.RENEWING, key)
    # It stands at RENEWING, so the next CONNECTING is that of the new certificate.
    cut_in(site, device, State.CONNECTING, key)
    cut = remembered(device)
    assert cut.credential
    assert cut.earlier
    assert cut.earlier.key == key
    books = site.books()
    both = [name_of(before), name_of(cut)]
    assert books.current(books.device(device.name)) == both  # neither has been seen to fail
    site.goes_home(device, key_before=key)
    site.check(device)
    assert site.books().credentials[both[0]]["state"] == "replaced"


@pytest.mark.parametrize("state", [State.DISCOVERING, State.ENROLLING, State.CONNECTING,
                                   State.OPERATIONAL])  # fmt: skip
def test_killed_on_the_way(site: Site, state: State) -> None:
    (device,) = site.factory.mint_sold(1, "acme")
    cut_in(site, device, state)
    site.goes_home(device)
    site.check(device)


def test_killed_while_parked(site: Site) -> None:
    (device,) = site.factory.mint(1)
    cut_in(site, device, State.PARKED)
    site.platform.operate("device", "assign", device.name, "--tenant", "acme")
    site.goes_home(device)
    site.check(device)


def test_killed_while_refused(site: Site) -> None:
    """By a platform that does not know the maker yet."""
    unknown = LiveFactory(site.directory / "unknown", site.platform)
    (device,) = unknown.mint(1, "UN-1", is_known=False)
    cut_in(site, device, State.REFUSED)
    unknown.hand_over()
    site.platform.operate("device", "assign", device.name, "--tenant", "acme")
    site.goes_home(device)
    site.check(device)


def test_killed_while_renewing(site: Site, devices: list[Path]) -> None:
    device = devices[-2]
    site.goes_home(device)
    credential = remembered(device).credential
    assert credential
    make_renewal_due(device)
    cut_in(site, device, State.RENEWING, credential.key)
    site.goes_home(device, key_before=credential.key)
    site.check(device)


def test_killed_when_revoked(site: Site, devices: list[Path]) -> None:
    device = devices[-3]
    site.goes_home(device)
    dead = name_of(remembered(device))
    site.platform.operate("device", "revoke", device.name, "--reason", "test")
    cut_in(site, device, State.REVOKED)
    site.platform.operate("device", "readmit", device.name)
    site.goes_home(device)
    site.check(device)
    assert site.books().credentials[dead]["state"] == "revoked"


@pytest.mark.parametrize("state", [State.RESETTING, State.UNPROVISIONED])
def test_killed_while_it_forgets(site: Site, devices: list[Path], state: State) -> None:
    device = devices[-4]
    site.goes_home(device)
    dead = name_of(remembered(device))
    assert site.run(device, is_reset=True, cut_in=state).status == KILLED
    site.goes_home(device)
    site.check(device)
    assert site.books().credentials[dead]["state"] == "revoked"


def cut_in(site: Site, device: Path, state: State, key_before: str = "") -> None:
    assert site.run(device, cut_in=state, key_before=key_before).status == KILLED
    saved = json.loads((state_of(device) / "state.json").read_bytes().partition(b"\n")[0])
    assert saved["journey"] == state
