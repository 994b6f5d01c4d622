# SPDX-License-Identifier: Apache-2.0
"""The broker's configuration text; that nats-server takes it is shown by the integration tests."""

from dataclasses import replace
from pathlib import Path

import pytest

from homeport.broker.nats_config import PublicKeys, render
from homeport.broker.settings import EmbeddedSettings, Listener
from homeport.errors import Code, HomeportError

SETTINGS = EmbeddedSettings(
    directory=Path("/data/broker"),
    certificate=Path("/data/server.pem"),
    key=Path("/data/server.key"),
    device_issuers=Path("/data/issuers.pem"),
)
KEYS = PublicKeys(platform="UPLATFORM", system="USYSTEM", issuer="AISSUER")


def text_of(settings: EmbeddedSettings) -> str:
    return render(
        settings,
        account="HOMEPORT",
        client_port=14222,
        keys=KEYS,
        pid_file=Path("/data/broker/nats-server.pid"),
    )


def test_every_listener_for_devices_demands_their_certificate() -> None:
    for settings in (SETTINGS, replace(SETTINGS, websocket=Listener("::", 443))):
        text = text_of(settings)
        listeners = text.count("mqtt {") + text.count("websocket {")
        assert listeners == text.count("verify: true") == text.count('ca_file: "/data/issuers.pem"')
        assert "no_tls" not in text


def test_our_own_port_is_on_loopback_and_there_is_no_monitoring() -> None:
    lines = text_of(SETTINGS).splitlines()
    assert 'listen: "127.0.0.1:14222"' in lines
    assert not any("http" in line or "monitor" in line for line in lines)
    assert "  sync_interval: always" in lines


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/a\\b", "/a\x7fb"])
def test_a_path_that_would_change_the_text_is_refused(path: str) -> None:
    with pytest.raises(HomeportError) as failed:
        text_of(replace(SETTINGS, certificate=Path(path)))
    assert failed.value.code is Code.SETTING_WRONG
