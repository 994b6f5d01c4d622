# SPDX-License-Identifier: Apache-2.0
"""What people decide while devices run: whose one is, that one is out, that it may come back."""

from collections.abc import Iterator

import pytest

from fakes.site import TENANT, UNSOLD, URL4, Site, Works, option143
from fakes.waiting import wait_until

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(works: Works, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(works, tmp_path_factory.mktemp("site"), ("device0", "device1")) as built:
        built.lan.start_dnsmasq(option143(URL4), dhcp6=False)
        yield built


def test_an_unsold_device_waits_and_goes_on_when_it_is_assigned(site: Site, works: Works) -> None:
    device = site.device(works.take(UNSOLD)).power_on()
    device.until(lambda said: said.get("state") == "parked")
    site.platform.until(device.serial, "awaiting-owner")
    shown = site.platform.story(device.serial)
    assert shown["missing"] == "owner"
    assert device.status()["told"]["code"] == "owner"

    site.platform.operate("device", "assign", device.serial, "--tenant", TENANT)
    site.arrives(device)
    assigned = site.platform.last(device.serial, "device:assigned")["at"]
    issued = site.platform.last(device.serial, "credential:issued")["at"]
    arrived = site.platform.last(device.serial, "enrolment:completed")["at"]
    assert (issued - assigned).total_seconds() < 1, "a fact is learned within a second"
    assert (arrived - assigned).total_seconds() < 3, "with MQTT, on a loaded machine"
    assert site.platform.events(device.serial).count("enrolment:parked") == 1


def test_a_revoked_device_is_out_at_once_until_it_is_readmitted(site: Site) -> None:
    platform = site.platform
    device = site.device().power_on()
    site.arrives(device)

    platform.operate("device", "revoke", device.serial, "--reason", "stolen")
    wait_until(lambda: not platform.look(device.serial).is_online)
    presence = platform.look(device.serial).presence
    assert presence is not None
    revoked = platform.last(device.serial, "credential:revoked")["at"]
    assert (presence.since - revoked).total_seconds() < 1
    device.until(lambda said: said.get("state") == "revoked")
    told = device.status()["told"]
    assert told["code"] == "credential-revoked"
    assert told["advice"]
    assert not device.status()["endpoint"]
    heard = platform.messages(device.serial)
    with pytest.raises(AssertionError):
        device.publish("greeting", "from outside", "--wait", 3)
    assert platform.messages(device.serial) == heard
    assert not platform.look(device.serial).is_online
    assert len(platform.credentials(device.serial)) == 1

    platform.operate("device", "readmit", device.serial)
    device.reset()
    site.arrives(device)
    before, after = platform.credentials(device.serial)
    assert (before.state, after.state) == ("revoked", "current")
    assert before.key_hash != after.key_hash
    assert platform.look(device.serial).is_online
