# SPDX-License-Identifier: Apache-2.0
"""DHCP names the wrong server: one that is not there, or one that is not what it says."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from fakes.site import NAME, URL4, PluggedDevice, Site, Works, option143
from homeport.agent.memory.store import Store
from homeport.factory.factory import Factory
from homeport.factory.key_places import in_directory
from homeport.keys import PrivateKey, make_key, open_key
from homeport.pki.authority import Issuer, build_leaf, build_root, server_leaf
from homeport.pki.certificates import load_bundle, parse_certificate, pem_of

pytestmark = pytest.mark.system

SERVER = Path(__file__).parent.parent / "fakes" / "rogue_server.py"
HOSTS = ("rogue", "device0", "device1", "device2")
BEGAN = datetime.now(UTC) - timedelta(days=1)
ENDS = BEGAN + timedelta(days=100)


@pytest.fixture(scope="module")
def site(works: Works, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(works, tmp_path_factory.mktemp("site"), HOSTS[1:] + HOSTS[:1]) as built:
        yield built


@pytest.fixture(scope="module")
def rogue(site: Site) -> tuple[str, str]:
    """A host on the LAN and its address."""
    host = site.free_host()
    return host, site.lan.lease(host)


def pem(key: PrivateKey, chain: Sequence[x509.Certificate]) -> bytes:
    private = key.crypto_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + pem_of(*chain)


def named(issuer: Issuer, key: PrivateKey) -> bytes:
    """A server's certificate with the platform's name, from this issuer."""
    leaf = build_leaf(server_leaf(key.public_key(), [NAME], BEGAN, ENDS), issuer)
    return pem(key, [leaf, issuer.certificate])


def disguises(works: Works, bystander: PluggedDevice, directory: Path) -> dict[str, bytes]:
    """Everything that a rogue could get hold of and show instead of the platform's certificate."""
    factory = Factory(works.factory)
    key = make_key(f"file:{directory}/rogue.key")
    stranger = Issuer(build_root(key, "Stranger", BEGAN, 10), key)
    uri = in_directory(factory.settings.keys.issuer, works.factory, factory.settings.passphrase)
    idevid_issuer = Issuer(factory.idevid_chain[0], open_key(uri))
    store = bystander.store
    ldevid = Store(bystander.state).saved.credential
    assert ldevid is not None
    return {
        "the right name from a stranger": named(stranger, key),
        "the right name under the anchor for devices": named(idevid_issuer, key),
        "another device's IDevID": pem(
            open_key(f"file:{store}/idevid.key"), load_bundle((store / "idevid.pem").read_bytes())
        ),
        "another device's LDevID, under the platform's own root": pem(
            open_key(ldevid.key), [parse_certificate(der) for der in ldevid.certificate]
        ),
        "the signer of manifests": pem(
            factory.manifest_key, [parse_certificate(der) for der in factory.manifest_x5c]
        ),
        "the signer of vouchers": pem(
            factory.voucher_key, [parse_certificate(der) for der in factory.voucher_x5c]
        ),
    }


def start_rogue(
    site: Site, rogue: tuple[str, str], port: int, directory: Path, shown: bytes
) -> subprocess.Popen[str]:
    host, address = rogue
    certificate = directory / f"{port}.pem"
    certificate.write_bytes(shown)
    process = site.lan.start_in(host, [sys.executable, SERVER, address, str(port), certificate])
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": True}
    return process


def test_rogues_get_nothing_and_the_platform_is_found(
    site: Site, works: Works, rogue: tuple[str, str], tmp_path: Path
) -> None:
    """A rogue that names itself by DHCP gets not even a greeting, whatever certificate it has."""
    site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
    bystander = site.device().power_on()
    site.arrives(bystander)
    bystander.power_off()

    rogues = {
        name: start_rogue(site, rogue, 9001 + number, tmp_path, shown)
        for number, (name, shown) in enumerate(disguises(works, bystander, tmp_path).items())
    }
    urls = [f"https://{rogue[1]}:{9001 + number}" for number in range(len(rogues))]
    site.lan.start_dnsmasq(option143(*urls, URL4), dhcp6=False)
    device = site.device().power_on()
    site.arrives(device)

    for name, process in rogues.items():
        process.kill()
        said, _ = process.communicate()
        contacts = [json.loads(line) for line in said.splitlines()]
        assert len(contacts) == 1, (name, contacts)  # it was tried, and left for good
        assert "alert" in contacts[0]["refused"].lower(), (name, contacts)
    peer = site.platform.last(device.serial, "enrolment:started")["facts"]["peer"]
    assert peer == device.address


def test_a_wrong_address_is_corrected_later(site: Site, rogue: tuple[str, str]) -> None:
    dead, closed = "https://10.78.0.77:8443", f"https://{rogue[1]}:8443"
    site.lan.start_dnsmasq(option143(dead, closed), dhcp6=False)
    device = site.device().power_on()
    device.until(lambda said: said.get("next_attempt"))
    tried = {failure["what"] for failure in device.status()["failures"]}
    assert {f"{dead} (dhcp)", f"{closed} (dhcp)"} <= tried
    assert device.status()["state"] == "discovering"
    assert site.platform.look(device.serial).state == "registered"

    site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
    site.arrives(device)
