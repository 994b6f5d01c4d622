# SPDX-License-Identifier: Apache-2.0
"""Commands at a platform elsewhere: over HTTPS, with an API key, no data directory at hand."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from fakes.live import NAME, LivePlatform
from homeport.clock import SystemClock
from homeport.domain.people import Permission
from homeport.provisioning.people.api_keys import KeyOrder, make_key
from homeport.server.cli import main
from homeport.server.opening import open_registry
from homeport.server.settings import load_settings

ALL = frozenset(Permission)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with LivePlatform(tmp_path_factory.mktemp("elsewhere")) as platform:
        platform.operate("tenant", "add", "acme", "--title", "Acme “Süd”")
        platform.operate("tenant", "add", "bolt")
        yield platform


def key_of(platform, scopes=ALL, tenant=None):
    async def make():
        order = KeyOrder(title="ci", scopes=scopes, tenant=tenant)
        async with open_registry(load_settings(platform.config, {})) as registry:
            now = SystemClock().now()
            return await registry.transact(lambda tx: make_key(tx, order, actor="olga", now=now))

    _, token = asyncio.run(make())
    return token


class Elsewhere:
    """A person at another machine: a home directory of their own, the platform by its address."""

    def __init__(self, home, platform, capsys):
        self.home, self.capsys = home, capsys
        self.url = f"https://{NAME}:{platform.port}"
        self.login = ("login", self.url, "--address", platform.address)
        self.trusting = (*self.login, "--anchors", platform.anchors)

    def types(self, *words):
        code = main([*map(str, words)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def asks(self, *words):
        code, out, err = self.types(*words, "--json")
        assert code == 0, out + err
        return json.loads(out)

    def refused(self, *words):
        code, out, err = self.types(*words, "--json")
        assert code == 1, out + err
        return json.loads(out)["error"]["code"]


@pytest.fixture
def elsewhere(platform, tmp_path, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("HOMEPORT")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return Elsewhere(tmp_path, platform, capsys)


def completed(line):
    """What bash is offered for the last word of the line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "homeport"],
        env=os.environ | words | {"_HOMEPORT_COMPLETE": "complete_bash"},
        text=True,
        capture_output=True,
        check=False,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture
def key_file(platform, tmp_path):
    path = tmp_path / "key"
    path.write_text(key_of(platform) + "\n")
    return path


def test_after_a_login_commands_ask_there(elsewhere, key_file):
    login = elsewhere.asks(*elsewhere.trusting, "--key-file", key_file)
    assert login["tenants"] == ["acme", "bolt"]
    kept = elsewhere.home / "homeport" / "login.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    titles = [tenant["title"] for tenant in elsewhere.asks("tenant", "list")]
    assert titles[0] == "Acme “Süd”"
    elsewhere.asks("tenant", "add", f"t{os.getpid()}")
    assert elsewhere.asks("device", "list") == []
    assert elsewhere.refused("device", "show", "EX-1") == "device-unknown"
    assert not (elsewhere.home / "homeport" / "registry.sqlite").exists(), "nothing was made here"
    assert elsewhere.asks("logout")["forgotten"]


def test_a_tenant_s_key_sees_its_tenant_only(elsewhere, platform, tmp_path):
    key = tmp_path / "tenant-key"
    key.write_text(key_of(platform, {Permission.TENANT_READ, Permission.DEVICES_READ}, "acme"))
    elsewhere.asks(*elsewhere.trusting, "--key-file", key)
    assert [tenant["name"] for tenant in elsewhere.asks("tenant", "list")] == ["acme"]
    assert elsewhere.refused("tenant", "add", "other") == "not-found"


def test_a_wrong_key_is_not_kept(elsewhere, tmp_path):
    key = tmp_path / "wrong"
    key.write_text("hp_nothing")
    assert elsewhere.refused(*elsewhere.trusting, "--key-file", key) == "sign-in-needed"
    assert not (elsewhere.home / "homeport").exists()


def test_a_platform_that_cannot_prove_itself_gets_no_key(elsewhere, key_file):
    assert elsewhere.refused(*elsewhere.login, "--key-file", key_file) == "platform-unproven"


def test_a_platform_is_named_for_one_command(elsewhere, key_file):
    elsewhere.asks(*elsewhere.trusting, "--key-file", key_file)
    code, out, err = elsewhere.types("--platform", "https://127.0.0.1:1", "tenant", "list")
    assert code == 1, out
    assert "HOMEPORT_API_KEY" in err
    code, _, err = elsewhere.types("--platform", elsewhere.url, "tenant", "list")
    assert code == 0, err


def test_the_shell_completes_what_is_there(elsewhere, key_file):
    elsewhere.asks(*elsewhere.trusting, "--key-file", key_file)
    assert completed("homeport device assign X --tenant ac") == ["acme"]


def test_the_shell_gets_nothing_where_nothing_answers(elsewhere):
    assert completed("homeport device show E") == []
