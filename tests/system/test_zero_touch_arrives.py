# SPDX-License-Identifier: Apache-2.0
"""From power-on to the first message, without anyone touching the device."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.network import Link
from fakes.site import URL4, URL6, Site, Works, option136, option143

pytestmark = pytest.mark.system

HOSTS = tuple(f"device{number}" for number in range(4))


@pytest.fixture(scope="module")
def site(works: Works, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(works, tmp_path_factory.mktemp("site"), HOSTS) as built:
        yield built


NEEDED = ("device.toml", "idevid.key", "idevid.pem", "platform.pem")
"""An identity, the platform's name and its trust anchors; no label, no voucher anchors."""


def only_needed(store: Path, directory: Path) -> Path:
    directory.mkdir()
    for name in NEEDED:
        shutil.copy2(store / name, directory / name)
    return directory


def test_address_and_platform_come_by_dhcp(site: Site, works: Works, tmp_path: Path) -> None:
    site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
    device = site.device(only_needed(works.take(), tmp_path / "store")).power_on()
    site.arrives(device)
    assert device.status()["endpoint"] == "mqtt://10.78.0.2:8883"
    assert site.platform.look(device.serial).is_online
    assert site.platform.events(device.serial) == [
        "device:assigned",
        "enrolment:started",
        "credential:issued",
        "enrolment:completed",
    ]


def test_over_ipv6_alone(site: Site) -> None:
    site.lan.start_dnsmasq(option136(URL6), dhcp4=False)
    device = site.device(lease=False).power_on()
    site.arrives(device)
    assert device.status()["endpoint"] == "mqtt://fd78::2:8883"
    assert not site.lan.run_in(device.host, ["ip", "-4", "address", "show", "dev", "eth0"]).stdout
    peer = site.platform.last(device.serial, "enrolment:started")["facts"]["peer"]
    assert peer.startswith("fd77:")


def test_over_a_long_and_lossy_way(works: Works, tmp_path: Path) -> None:
    uplink = Link(timedelta(milliseconds=100), loss=0.05)
    with Site(works, tmp_path, ("device",), uplink=uplink) as site:
        site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
        device = site.device().power_on()
        site.arrives(device, 60)
        assert site.platform.events(device.serial).count("credential:issued") == 1
