# SPDX-License-Identifier: Apache-2.0
"""The broker when processes die: ours, its own, and others in its way."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.broker_site import CLOCK, NAME, Site, TestDevice, until
from fakes.in_loop import in_loop
from homeport.broker import link as link_room
from homeport.broker.access import ACCESS_FILE, BrokerAccess
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.broker.nkey import Role, make_seed
from homeport.broker.settings import ExternalSettings
from homeport.domain.topics import Topic
from homeport.errors import Code, HomeportError
from homeport.keys import Secret
from homeport.pki.certificates import der_of
from homeport.protocols.mqtt.device.awscrt_uplink import AwscrtUplink
from homeport.provisioning.admit import Admission


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


DEAD = ("nats://127.0.0.1:9",)
"""Where nobody listens."""


async def opened(site: Site, device: TestDevice) -> AwscrtUplink:
    uplink = AwscrtUplink(site.uplink_settings(device), CLOCK)
    await uplink.connect()
    return uplink


def is_running(pid: int) -> bool:
    """Whether the process is there and no corpse."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@in_loop
async def test_without_the_platform_nobody_gets_in_and_with_it_again(site: Site) -> None:
    device = await site.device("SN1")
    async with EmbeddedBroker(site.settings) as broker:
        with pytest.raises(HomeportError) as failed:
            await opened(site, device)
        assert failed.value.code in (Code.UPSTREAM_REFUSED, Code.UPSTREAM_UNREACHABLE)
        async with BrokerLink(broker.access) as link, site.serving(link):
            await (await opened(site, device)).disconnect()


@in_loop
async def test_a_registry_that_fails_lets_nobody_in(site: Site) -> None:
    device = await site.device("SN1")

    async def broken(shown: str, client_id: str) -> Admission:
        raise OSError("the disk is full")

    admit, site.admit = site.admit, broken  # type: ignore[method-assign]
    async with site.running():
        with pytest.raises(HomeportError) as failed:
            await opened(site, device)
        assert failed.value.code is Code.UPSTREAM_REFUSED
    site.admit = admit  # type: ignore[method-assign]
    async with site.running():
        await (await opened(site, device)).disconnect()


@in_loop
async def test_a_killed_broker_comes_back_with_what_it_had_acknowledged(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running() as (broker, link):
        uplink = await opened(site, device)
        await uplink.publish(device.topics.state, device.online, retain=True)
        await until(lambda: site.states.counted == 1)
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        await uplink.lost()
        await until(lambda: broker.restarts == 1 and link.is_connected)
        again = await opened(site, device)
        # The first message may come a second time: its acknowledgement can die with the broker.
        await again.publish(device.topics.state, device.offline, retain=True)
        await until(lambda: not site.registry.rows.presence[device.id].online)
        for last in (uplink, again):
            await last.disconnect()


CHILD = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from homeport.broker.embedded import EmbeddedBroker
    from homeport.broker.settings import EmbeddedSettings, Listener

    async def main():
        directory, port = Path(sys.argv[1]), int(sys.argv[2])
        settings = EmbeddedSettings(
            directory=directory / "broker",
            certificate=directory / "server.pem",
            key=directory / "server.key",
            device_issuers=directory / "issuers.pem",
            mqtt=Listener("127.0.0.1", port),
        )
        async with EmbeddedBroker(settings) as broker:
            print(broker.pid, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
""")


@in_loop
async def test_it_dies_with_its_parent_whatever_kills_that(site: Site) -> None:
    parent = subprocess.Popen(  # noqa: ASYNC220 - outlives the loop's care
        [sys.executable, "-c", CHILD, str(site.directory), str(site.port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    await until(lambda: not is_running(pid), 5)


@in_loop
async def test_a_leftover_is_ended_and_a_stranger_with_its_pid_is_not(site: Site) -> None:
    directory = site.settings.directory
    async with EmbeddedBroker(site.settings):
        pass  # leaves its configuration
    leftover = subprocess.Popen(  # noqa: ASYNC220 - outlives the loop's care
        [Path(sys.executable).parent / "nats-server", "-c", str(directory / "nats.conf")],
        cwd=directory,
        stderr=subprocess.DEVNULL,
    )
    stranger = subprocess.Popen(["sleep", "60"], cwd=directory)  # noqa: ASYNC220
    pid_file = directory / "nats-server.pid"
    try:
        await until(lambda: pid_file.read_text().strip() == str(leftover.pid))
        async with EmbeddedBroker(site.settings) as broker:
            assert leftover.wait(5) is not None
            assert broker.pid != leftover.pid
        pid_file.write_text(str(stranger.pid))
        async with EmbeddedBroker(site.settings):
            assert stranger.poll() is None
    finally:
        for process in (leftover, stranger):
            process.kill()
            process.wait()


@in_loop
async def test_an_occupied_port_is_named_with_its_setting(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)), pytest.raises(HomeportError) as failed:
        async with EmbeddedBroker(site.settings):
            pass
    assert failed.value.code is Code.PORT_OCCUPIED
    assert str(site.port) in failed.value.detail
    assert "mqtt" in failed.value.detail
    async with EmbeddedBroker(site.settings):
        pass


@in_loop
async def test_a_directory_has_one_broker(site: Site) -> None:
    async with EmbeddedBroker(site.settings) as broker:
        with pytest.raises(HomeportError) as failed:
            async with EmbeddedBroker(site.settings):
                pass
        assert failed.value.code is Code.ALREADY_EXISTS
        assert broker.pid is not None
        assert is_running(broker.pid)


@in_loop
async def test_a_wrong_configuration_says_what_it_says(site: Site) -> None:
    (site.directory / "server.pem").write_text("no certificate")
    with pytest.raises(HomeportError) as failed:
        async with EmbeddedBroker(site.settings):
            pass
    assert failed.value.code is Code.BROKER_UNAVAILABLE
    assert "PEM" in failed.value.detail


@in_loop
async def test_secrets_are_for_us_alone_and_gone_afterwards(site: Site) -> None:
    directory = site.settings.directory
    async with EmbeddedBroker(site.settings) as broker:
        access = directory / ACCESS_FILE
        assert access.stat().st_mode & 0o777 == 0o600
        assert directory.stat().st_mode & 0o777 == 0o700
        secrets = [
            json.loads(access.read_bytes())[name] for name in ("platform", "system", "issuer")
        ]
        others = b"".join(
            path.read_bytes() for path in directory.rglob("*") if path.is_file() and path != access
        )
        assert not any(secret.encode() in others for secret in secrets)
        async with BrokerLink(BrokerAccess.read(access)) as link:
            assert link.is_connected
        assert broker.access == BrokerAccess.read(access)
    assert not access.exists()
    with pytest.raises(HomeportError) as failed:
        BrokerAccess.read(access)
    assert failed.value.code is Code.BROKER_UNAVAILABLE


async def served_certificate(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=NAME)
    try:
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return certificate
    finally:
        writer.transport.abort()


@in_loop
async def test_a_renewed_certificate_is_served_without_a_restart(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running() as (broker, link):
        uplink = await opened(site, device)
        renewed = der_of(site.renew_server_certificate())
        broker.reload()
        deadline = time.monotonic() + 10
        for port in (site.port, site.websocket_port):
            while await served_certificate(port) != renewed:
                assert time.monotonic() < deadline, port
                await asyncio.sleep(0.02)
        await uplink.lost()
        again = await opened(site, device)
        await again.publish(device.topics.up("t"), b"back")
        assert broker.restarts == 0
        assert link.is_connected
        for last in (uplink, again):
            await last.disconnect()


@in_loop
async def test_a_given_broker_is_reached_by_its_seeds(site: Site) -> None:
    device = await site.device("SN1")

    def seed_file(name: str, seed: Secret) -> Path:
        path = site.directory / f"{name}.seed"
        path.write_text(seed.reveal() + "\n")
        return path

    async with EmbeddedBroker(site.settings) as broker:
        given = ExternalSettings(
            urls=broker.access.urls,
            platform_seed=seed_file("platform", broker.access.platform),
            system_seed=seed_file("system", broker.access.system),
            issuer_seed=seed_file("issuer", broker.access.issuer),
        )
        async with BrokerLink(BrokerAccess.external(given)) as link, site.serving(link):
            await (await opened(site, device)).disconnect()
            assert link.counters()["admitted"] == 1


@in_loop
async def test_a_wrong_seed_or_an_absent_broker_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_room, "OPEN_SECONDS", 1)
    async with EmbeddedBroker(site.settings) as broker:
        access = broker.access
        for wrong in (replace(access, platform=make_seed(Role.USER)), replace(access, urls=DEAD)):
            with pytest.raises(HomeportError) as failed:
                async with BrokerLink(wrong):
                    pass
            assert failed.value.code is Code.BROKER_UNAVAILABLE


@in_loop
async def test_a_device_is_told_things_only_below_down(site: Site) -> None:
    device = await site.device("SN1")
    async with site.running() as (_, link):
        for topic in (device.topics.state, device.topics.up("t")):
            with pytest.raises(HomeportError):
                await link.send(Topic.parse(topic), b"1")
