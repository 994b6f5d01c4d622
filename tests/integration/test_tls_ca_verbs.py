# SPDX-License-Identifier: Apache-2.0
"""`homeport ca`: a platform under a root whose key never was on it."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from homeport.errors import HomeportError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import load_bundle
from homeport.pki.chains import verify_platform_signer
from homeport.server.certificates.places import KeyPlaces
from homeport.server.certificates.platform_keys import open_platform_keys
from homeport.server.cli import ca


@pytest.fixture
def homeport(tmp_path):
    configuration = tmp_path / "server.toml"
    configuration.write_text('name = "platform.example"\n')

    def run(*arguments, at_platform=True):
        options = ["--config", configuration, "--data", tmp_path / "data"] if at_platform else []
        command = [str(argument) for argument in (*arguments, *options)]
        result = CliRunner().invoke(ca.app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_the_whole_way(homeport, tmp_path):
    safe = tmp_path / "safe"
    safe.mkdir()
    key, root = f"file:{safe}/root.key", safe / "root.pem"
    homeport("root", "--key", key, "--output", root, at_platform=False)
    for which in ("issuing", "services"):
        request, chain = tmp_path / "request.pem", tmp_path / "chain.pem"
        homeport("request", which, "--output", request)
        with pytest.raises(HomeportError):
            homeport("install", which, root)
        homeport(
            "sign", which, request, "--key", key, "--certificate", root, "--output", chain,
            at_platform=False,
        )  # fmt: skip
        homeport("install", which, chain)
    now = datetime.now(UTC)
    places = KeyPlaces(directory=tmp_path / "data" / "keys", names=("platform.example",))
    keys = open_platform_keys(places, now)
    anchors = Anchors(Purpose.PLATFORM, load_bundle(root.read_bytes()))
    signer = verify_platform_signer(keys.domain_x5c(), anchors, "platform.example", now)
    assert signer == keys.domain_key.public_key()
    assert not (places.directory / "root.key").exists()
