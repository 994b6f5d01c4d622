# SPDX-License-Identifier: Apache-2.0
"""examples/enrol.sh against a real platform: the protocol with other people's tools."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fakes.live import LiveFactory, LivePlatform
from homeport.pki.certificates import device_id_of

SCRIPT = Path(__file__).parents[2] / "examples" / "enrol.sh"
ENROLLED, REFUSED, MISUSED, PARKED = 0, 1, 2, 4


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform")) as running:
        running.operate("tenant", "add", "acme")
        yield running


@pytest.fixture(scope="module")
def stores(platform, tmp_path_factory) -> Iterator[Path]:
    """Devices, each used by one test."""
    return iter(LiveFactory(tmp_path_factory.mktemp("line") / "factory", platform).mint(6))


@pytest.fixture
def enrol(platform, tmp_path):
    """Run the script; its state directory is the test's own."""

    def run(store: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [SCRIPT, "--address", platform.address, *options, store, tmp_path / "state"]
        return subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, timeout=60
        )

    return run


def test_a_sold_device_enrols(platform, stores, enrol, tmp_path):
    store = next(stores)
    platform.sell(store.name, "acme")
    done = enrol(store)
    assert done.returncode == ENROLLED, done.stderr
    pem = (tmp_path / "state" / "ldevid.pem").read_bytes()
    ldevid, issuer = x509.load_pem_x509_certificates(pem)
    ldevid.verify_directly_issued_by(issuer)
    device = device_id_of(ldevid)
    assert f"Enrolled as {device}." in done.stdout
    assert f"-t hp/acme/{device}/state" in done.stdout
    key = load_pem_private_key((tmp_path / "state" / "ldevid.key").read_bytes(), None)
    assert key.public_key() == ldevid.public_key()
    assert (tmp_path / "state" / "ldevid.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state" / "anchors.pem").read_bytes() == platform.anchors.read_bytes()


def test_run_again_it_gets_the_same_certificate(platform, stores, enrol, tmp_path):
    store = next(stores)
    platform.sell(store.name, "acme")
    certificates = []
    for _ in range(2):
        assert enrol(store).returncode == ENROLLED
        certificates.append((tmp_path / "state" / "ldevid.pem").read_bytes())
    assert certificates[0] == certificates[1]


def test_a_parked_device_says_what_is_missing(stores, enrol):
    done = enrol(next(stores), "--once")
    assert done.returncode == PARKED
    assert "owner is missing" in done.stdout


def test_a_parked_device_goes_on_when_it_is_sold(platform, stores, tmp_path):
    store = next(stores)
    command = [SCRIPT, "--address", platform.address, store, tmp_path / "state"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "owner is missing" in running.stdout.readline()
        platform.sell(store.name, "acme")
        assert "Enrolled as " in running.stdout.read()
    assert running.returncode == ENROLLED


def test_it_believes_nobody_else(platform, stores, enrol, tmp_path):
    """A platform under other anchors than the device's is not even asked."""
    store = tmp_path / "store"
    shutil.copytree(next(stores), store)
    shutil.copy(store / "idevid.pem", store / "platform.pem")
    done = enrol(store, "--once")
    assert done.returncode == REFUSED
    assert "no platform at" in done.stderr
    assert platform.timeline(store_number(store)) == []


def store_number(store: Path) -> str:
    found = re.search('^serial_number = "(.*)"', (store / "device.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_a_refusal_is_shown_with_its_advice(platform, stores, enrol, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(next(stores), store)
    settings = (store / "device.toml").read_text()
    (store / "device.toml").write_text(settings.replace(store_number(store), "EX-100-999999"))
    done = enrol(store)
    assert done.returncode == REFUSED
    assert "401 serial-number-mismatch" in done.stderr
    assert "A device can ask only for itself." in done.stderr


@pytest.mark.parametrize("arguments", [[], ["one"], ["--what", "one", "two"]])
def test_misuse(arguments):
    done = subprocess.run(
        [str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=10
    )
    assert done.returncode == MISUSED
    assert done.stderr.startswith("enrol.sh: ")


def test_it_needs_nothing_but_the_usual_tools():
    """Words at the beginning of a command; bash, coreutils, sed, grep, curl and openssl."""
    text = SCRIPT.read_text(encoding="utf-8")
    foreign = r"(?:^|[|(;]|\$\()\s*(python3?|perl|awk|jq|xxd|node|ruby|homeport)\b"
    assert not re.search(foreign, text, re.MULTILINE)
