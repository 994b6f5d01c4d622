# SPDX-License-Identifier: Apache-2.0
"""Less usual sites: keys in a token, a closed network, a device of another platform."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.live import run
from fakes.network import GATEWAY4
from fakes.site import (
    MODEL,
    NAME,
    PORT,
    TENANT,
    UNSOLD,
    URL4,
    ServedPlatform,
    Site,
    Works,
    arrives_at,
    option143,
)
from fakes.softhsm import SoftToken

pytestmark = pytest.mark.system

PROXY = Path(__file__).parent.parent / "fakes" / "connect_proxy.py"
PROXY_PORT = "3128"
PASSWORD = "line4:through the wall"
PLANT = "plant7"
PLANT_NAME = "plant7.example"
HOSTS = ("plant", "device0", "device1", "device2")


@pytest.fixture(scope="module")
def site(works: Works, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(works, tmp_path_factory.mktemp("site"), HOSTS[::-1]) as built:
        yield built


@pytest.fixture(scope="module")
def plant(site: Site) -> Iterator[tuple[ServedPlatform, str]]:
    """A second platform, on the site itself, and its address."""
    host = site.free_host()
    address = site.lan.lease(host)
    with ServedPlatform(site.lan, host, site.directory / "plant", PLANT_NAME) as platform:
        yield platform, address


def test_with_its_keys_in_a_token(site: Site, works: Works, soft_token: SoftToken) -> None:
    site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
    uri = (
        f"pkcs11:token={soft_token.label}"
        f"?module-path={soft_token.module}&pin-source=file:{soft_token.pin_file}"
    )
    works.mint(f"{MODEL}-T", 1, "--key", uri)
    works.hand_over(site.platform.config)
    device = site.device(works.take(f"{MODEL}-T"))
    site.platform.operate("device", "assign", device.serial, "--tenant", TENANT)
    assert not (device.store / "idevid.key").exists()
    device.power_on()
    site.arrives(device)
    assert device.status()["key_kind"] == "pkcs11"
    assert not list(device.state.rglob("*.key"))
    assert not list(device.state.rglob("*.pem"))
    assert site.platform.story(device.serial)["hardware_identity"] == "pkcs11"


@contextmanager
def closed_network(site: Site) -> Iterator[list[str]]:
    """Nothing is routed; a proxy lets HTTPS through. What it was asked for is in the list then."""
    forwarding = "/proc/sys/net/ipv4/ip_forward"
    targets: list[str] = []
    site.lan.run_in("gateway", ["sh", "-c", f"echo 0 > {forwarding}"])
    command = [sys.executable, str(PROXY), GATEWAY4, PROXY_PORT, PASSWORD, str(PORT), "443"]
    proxy = site.lan.start_in("gateway", command)
    assert proxy.stdout is not None
    assert proxy.stdout.readline() == "ready\n"
    try:
        yield targets
    finally:
        proxy.kill()
        targets.extend(proxy.stdout.read().split())
        site.lan.run_in("gateway", ["sh", "-c", f"echo 1 > {forwarding}"])


def test_out_of_a_closed_network_through_a_proxy(site: Site, tmp_path: Path) -> None:
    site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
    device = site.device()
    secret, settings = tmp_path / "proxy.password", tmp_path / "agent.toml"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    settings.write_text(
        f'proxy = "http://{GATEWAY4}:{PROXY_PORT}"\nproxy_credentials = "{secret}"\n'
    )
    with closed_network(site) as targets:
        device.power_on("--config", settings)
        site.arrives(device)
        assert device.status()["endpoint"].startswith("mqtt-websocket://10.78.0.2:443/")
        device.power_off()
    # MQTT on its own port was tried, also by the platform's name; the proxy did not let it through.
    assert targets[0] == "10.78.0.2:8443"
    assert set(targets[1:-1]) == {"10.78.0.2:8883", f"{NAME}:8883"}
    assert targets[-1] == "10.78.0.2:443"


def test_a_voucher_leads_to_another_platform(
    site: Site, works: Works, plant: tuple[ServedPlatform, str], tmp_path: Path
) -> None:
    there, address = plant
    name = f"host-record={PLANT_NAME},{address}"
    site.lan.start_dnsmasq(option143(URL4), name, dhcp6=False)
    device = site.device(works.take(UNSOLD))
    domain, voucher = tmp_path / "plant.pem", tmp_path / "voucher.vjj"
    there.operate("platform", "anchors", "--output", domain)
    here = site.platform
    here.operate(
        "upstream", "add", PLANT, "--url", f"https://{PLANT_NAME}:{PORT}", "--domain-cert", domain
    )
    here.operate("device", "assign", device.serial, "--tenant", TENANT, "--upstream", PLANT)
    works.hand_over(there.config)
    there.operate("tenant", "add", "works7")
    there.operate("device", "assign", device.serial, "--tenant", "works7")

    device.power_on()
    here.until(device.serial, "awaiting-upstream")
    run(
        "factory", "voucher", works.factory, "--serial-number", device.serial,
        "--domain-cert", domain, "--epoch", 1, "--output", voucher,
    )  # fmt: skip
    here.operate("voucher", "import", voucher)
    arrives_at(there, device)
    assert here.look(device.serial).state == "redirected"
    assert "enrolment:redirected" in here.events(device.serial)
    assert not here.credentials(device.serial)
    assert not here.messages(device.serial)
    assert device.status()["tenant"] == "works7"
    assert device.status()["endpoint"] == f"mqtt://{PLANT_NAME}:8883"
