# SPDX-License-Identifier: Apache-2.0
"""A revocation is on the disk, and the server is killed before it could disconnect anybody."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.fleet import Fleet, remembered
from fakes.live import LiveFactory, LivePlatform
from fakes.waiting import wait_until
from homeport.agent.journey import State
from homeport.broker.access import BrokerAccess
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.settings import EmbeddedSettings, Listener
from homeport.demo.stage import free_ports

pytestmark = [pytest.mark.faults]

SECONDS = 30.0


def test_revoked_while_the_server_dies_with_its_broker(tmp_path: Path) -> None:
    with LivePlatform(tmp_path) as platform:
        revoke_and_kill(platform, tmp_path)


def test_revoked_while_the_server_dies_and_the_broker_lives_on(tmp_path: Path) -> None:
    """With a broker of its own nothing but the server's next start ends the connection."""
    platform = LivePlatform(tmp_path)
    platform.operate("platform", "anchors", "--output", platform.anchors)
    with given_broker(platform) as access:
        use_broker(platform, access)
        with platform:
            revoke_and_kill(platform, tmp_path)


def revoke_and_kill(platform: LivePlatform, tmp_path: Path) -> None:
    platform.operate("tenant", "add", "acme")
    good, bad = LiveFactory(tmp_path / "factory", platform).mint_sold(2, "acme")
    with Fleet(platform.address, tmp_path / "fleet.log", 1) as fleet:
        fleet.plug_in([good, bad])
        wait_until(lambda: Books(platform.registry).arrived() == {good.name, bad.name}, SECONDS)
        platform.process.send_signal(signal.SIGSTOP)  # it can do nothing about it
        platform.operate("device", "revoke", bad.name)
        platform.end(signal.SIGKILL)
        platform.start()
        platform.wait_until_it_answers()
        wait_until(lambda: remembered(bad).journey is State.REVOKED, SECONDS)
        wait_until(lambda: not is_online(platform, bad), SECONDS)
        assert fleet.say([bad], "still here", 5.0) == []
        wait_until(lambda: Books(platform.registry).arrived() == {good.name}, SECONDS)
        assert fleet.say([good], "here") == [good.name]
        assert remembered(bad).journey is State.REVOKED
    books = Books(platform.registry)
    assert books.faults() == []
    assert books.current(books.device(bad.name)) == []
    assert books.timeline(books.device(bad.name)).count("credential:revoked") == 1


def is_online(platform: LivePlatform, device: Path) -> bool:
    books = Books(platform.registry)
    return books.is_online(books.device(device.name))


@contextmanager
def given_broker(platform: LivePlatform) -> Iterator[BrokerAccess]:
    """Run a broker that is not the platform's child."""
    keys = platform.data / "keys"
    (port,) = free_ports(1)
    settings = EmbeddedSettings(
        directory=platform.directory / "given",
        certificate=keys / "server.pem",
        key=keys / "server.pem",
        device_issuers=keys / "issuing.pem",
        mqtt=Listener("127.0.0.1", platform.mqtt_port),
        client_port=port,
    )
    ready: Future[BrokerAccess] = Future()
    done = threading.Event()

    async def keep() -> None:
        async with EmbeddedBroker(settings) as broker:
            ready.set_result(broker.access)
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(keep(),))
    thread.start()
    try:
        yield ready.result(SECONDS)
    finally:
        done.set()
        thread.join()


def use_broker(platform: LivePlatform, access: BrokerAccess) -> None:
    """Write into the platform's settings that it uses the given broker."""
    seeds = {"platform": access.platform, "system": access.system, "issuer": access.issuer}
    lines = ["[broker]", f'urls = ["{access.urls[0]}"]']
    for name, seed in seeds.items():
        path = platform.directory / f"{name}.seed"
        path.write_text(seed.reveal(), "utf-8")
        path.chmod(0o600)
        lines.append(f'{name}_seed = "{path}"')
    settings = platform.config.read_text("utf-8")
    platform.config.write_text("\n".join([settings, *lines, ""]), "utf-8")
