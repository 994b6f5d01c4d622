# SPDX-License-Identifier: Apache-2.0
"""The identity directory and the settings: what is wrong is said, before anything is tried."""

import asyncio
import io
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.awkward_platform import FakeFactory, FakePlatform
from homeport.agent.discovery.interfaces import Interface
from homeport.agent.identity import absolute_uri, load_identity
from homeport.agent.log import DeviceFilter, JsonFormatter, TextFormatter
from homeport.agent.memory.records import Lifetime
from homeport.agent.platforms import Approach, Platforms, read_proxy
from homeport.agent.settings import AgentSettings, DiscoverySettings
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import make_key
from homeport.pki.certificates import der_of
from homeport.settings import load
from homeport.telemetry import FIELDS_KEY


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    directory = tmp_path_factory.mktemp("works")
    with FakePlatform(directory / "platform") as platform:
        yield FakeFactory.make(directory / "factory"), platform


@pytest.fixture
def home(works, tmp_path):
    factory, platform = works
    return factory.mint(tmp_path / "device", platform, address=None)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_device_knows_who_it_is(home, works):
    identity = load_identity(home)
    assert (identity.device.model, identity.device.serial_number) == ("EX-100", "EX-000017")
    assert identity.home.name == "platform.test"
    assert identity.home.ders == (der_of(works[1].authority.certificate),)
    assert len(identity.vouchers) == 0


def test_a_relative_key_is_below_the_directory(tmp_path):
    assert absolute_uri("file:idevid.key", tmp_path) == f"file:{tmp_path}/idevid.key"
    assert absolute_uri("file:/a/b", tmp_path) == "file:/a/b"
    assert absolute_uri("pkcs11:token=t;object=o", tmp_path) == "pkcs11:token=t;object=o"


@pytest.mark.parametrize("name", ["device.toml", "idevid.pem", "platform.pem"])
def test_a_missing_file_is_named(home, name):
    (home / name).unlink()
    with pytest.raises(HomeportError) as caught:
        load_identity(home)
    assert caught.value.code is Code.FILE_MISSING
    assert name in caught.value.detail


@pytest.mark.parametrize("name", ["idevid.pem", "platform.pem", "vouchers.pem"])
def test_a_damaged_certificate_is_malformed(home, name):
    (home / name).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(MalformedError):
        load_identity(home)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"EX-000017"', '"EX-000018"', "another device's"),
        ('operational_keys = "file:"', 'operational_keys = "tpm:"', "operational_keys"),
        ('"https://platform.test', '"http://platform.test', "https://"),
        ("[platform]", "[plattform]", "platform: must be given"),
    ],
)
def test_a_wrong_line_is_said(home, old, new, words):
    edit(home / "device.toml", old, new)
    with pytest.raises(HomeportError) as caught:
        load_identity(home)
    assert caught.value.code is Code.SETTING_WRONG
    assert words in caught.value.detail


def test_a_key_of_another_device_is_refused(home):
    (home / "idevid.key").unlink()
    make_key(f"file:{home}/idevid.key")
    with pytest.raises(HomeportError) as caught:
        load_identity(home)
    assert "does not belong to idevid_key" in caught.value.detail


def test_rotated_anchors_take_the_place_of_the_factorys(home, works, tmp_path):
    platforms = Platforms(AgentSettings(), load_identity(home))
    assert platforms.home(Lifetime()).ders == load_identity(home).home.ders
    rotated = der_of(works[0].authority.certificate)
    assert platforms.home(Lifetime(anchors=(rotated,))).ders == (rotated,)


def card(name):
    return Interface(name, 1, b"", None, ())


async def offered(platforms: Platforms) -> list[Approach]:
    trust = platforms.home(Lifetime())
    async with platforms.approaches([], trust, is_home=True) as approaches:
        return [approach async for approach in approaches]


def test_a_pinned_address_is_the_only_one(home):
    settings = AgentSettings(address="https://10.0.0.5:8443/")
    platforms = Platforms(settings, load_identity(home), lambda: [card("eth0")])
    (only,) = asyncio.run(offered(platforms))
    assert (only.url, only.source) == ("https://10.0.0.5:8443", "pinned")
    assert platforms.route(only).port == 8443


def test_without_network_there_is_the_default_address(home):
    platforms = Platforms(AgentSettings(), load_identity(home), list)
    (only,) = asyncio.run(offered(platforms))
    assert only.source == "default"


def test_sources_and_interfaces_can_be_switched_off(home):
    quiet = DiscoverySettings(dhcp=False, dns_sd=False, interfaces=("eth1",))
    cards = [card("eth0"), card("eth1")]
    platforms = Platforms(AgentSettings(discovery=quiet), load_identity(home), lambda: cards)
    assert [each.name for each in platforms.usable_interfaces()] == ["eth1"]
    names = [name for stage in platforms._stages() for name, _ in stage]
    assert "DNS-SD" not in names
    assert not any(name.startswith("DHCP") for name in names)


@pytest.mark.parametrize(
    "proxy", ["10.0.0.1:3128", "https://p:1", "http://p", "http://u:p@h:1", "http://h:99999"]
)
def test_a_proxy_that_is_none_is_refused(proxy):
    with pytest.raises(HomeportError) as caught:
        read_proxy(replace(AgentSettings(), proxy=proxy))
    assert caught.value.code is Code.SETTING_WRONG
    assert "u:p" not in caught.value.detail


def test_a_proxys_password_is_in_a_file_and_does_not_print(tmp_path):
    (tmp_path / "secret").write_text("user:password\n")
    made = read_proxy(AgentSettings(proxy="http://h:1", proxy_credentials=tmp_path / "secret"))
    assert made is not None
    assert made.credentials is not None
    assert made.credentials.reveal() == "user:password"
    assert "password" not in repr(made)


def test_the_socket_stands_in_any_other_state_directory():
    assert str(AgentSettings().socket_path) == "/run/homeport/agent.sock"
    assert str(AgentSettings(state=Path("/s")).socket_path) == "/s/agent.sock"
    assert str(AgentSettings(socket=Path("/x")).socket_path) == "/x"


def test_the_shipped_settings_are_right():
    root = Path(__file__).parents[3]
    assert load(AgentSettings, root / "deploy" / "agent.toml").socket_group == "homeport"
    assert load(AgentSettings, root / "conf" / "agent.toml") == AgentSettings()


def test_a_json_line_names_the_device():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    naming = DeviceFilter("EX-000017")
    handler.addFilter(naming)
    handler.setFormatter(JsonFormatter())
    record = logging.LogRecord("homeport.agent", logging.INFO, "", 0, "at %s", ("home",), None)
    setattr(record, FIELDS_KEY, {"code": "x"})
    handler.handle(record)
    naming.name_of_device = lambda: "a-1"
    handler.handle(record)
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["message"], first["device"], first["code"]) == ("at home", "EX-000017", "x")
    assert second["device"] == "a-1"


def test_a_line_for_people_drives_no_terminal():
    said = "proxy refused: \x1b]0;evil\x07\r\nINFO forged"
    record = logging.LogRecord("homeport.agent", logging.WARNING, "", 0, "%s", (said,), None)
    line = TextFormatter("%(levelname)s %(message)s").format(record)
    assert line == "WARNING proxy refused: \\x1b]0;evil\\x07\\r\\nINFO forged"
