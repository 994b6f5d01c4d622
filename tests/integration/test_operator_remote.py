# SPDX-License-Identifier: Apache-2.0
"""Commands at a platform elsewhere: over HTTPS, with an API key, no more than the key allows."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.live import HOMEPORT, LivePlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform"), name="localhost") as made:
        made.operate("tenant", "add", "acme")
        made.operate("tenant", "add", "globex")
        yield made


class Elsewhere:
    """Another computer: it has no data directory, and a login of its own."""

    def __init__(self, home: Path) -> None:
        self._environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "HOME": str(home)}

    def types(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HOMEPORT, *map(str, words)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def asks(self, *words: object) -> Any:
        done = self.types(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: object) -> str:
        done = self.types(*words, "--json")
        assert done.returncode == 1, done.stdout + done.stderr
        code: str = json.loads(done.stdout)["error"]["code"]
        return code


def test_a_key_of_a_lesser_role_reads_and_does_nothing_else(
    platform: LivePlatform, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    platform.operate(
        "key", "add", "reader", "--tenant", "acme", "--output", key,
        "--scope", "devices:read", "--scope", "tenant:read",
    )  # fmt: skip
    elsewhere = Elsewhere(tmp_path)
    words = ("login", platform.url, "--key-file", key)
    assert elsewhere.refused(*words) == "platform-unproven"
    assert elsewhere.asks(*words, "--anchors", platform.anchors)["tenants"] == ["acme"]
    assert elsewhere.asks("device", "list") == []
    assert [tenant["name"] for tenant in elsewhere.asks("tenant", "list")] == ["acme"]
    assert elsewhere.refused("tenant", "set", "acme", "--title", "x") == "role-insufficient"
    assert elsewhere.refused("tenant", "set", "globex", "--title", "x") == "not-found"
    assert elsewhere.refused("tenant", "add", "initech") in {"role-insufficient", "not-found"}
    assert elsewhere.refused("key", "list", "--tenant", "acme") == "role-insufficient"
    (kept,) = json.loads(platform.operate("key", "list", "--tenant", "acme", "--json"))
    platform.operate("key", "revoke", kept["id"], "--tenant", "acme")
    assert elsewhere.refused("device", "list") == "sign-in-needed"
    assert elsewhere.asks("logout")["forgotten"]
