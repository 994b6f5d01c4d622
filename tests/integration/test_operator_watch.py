# SPDX-License-Identifier: Apache-2.0
"""`homeport upstream watch` goes on when the platform comes back, whose broker has new seeds."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from fakes.live import HOMEPORT, LivePlatform
from fakes.waiting import wait_until
from homeport.broker.link import BrokerLink
from homeport.domain.device import DeviceId
from homeport.domain.topics import Branch, Topic
from homeport.server.opening import broker_access
from homeport.server.settings import load_settings

SUBJECT = Topic("acme", DeviceId("abcdefghijklmnop", "EX-1"), Branch.UP, "t").subject
SECONDS = 60


def say(platform: LivePlatform, text: str) -> None:
    """Put a message where a device's would arrive."""

    async def publish() -> None:
        async with BrokerLink(broker_access(load_settings(platform.config, {}))) as link:
            await link._platform.publish(SUBJECT, text.encode())
            await link._platform.flush()

    asyncio.run(publish())


@pytest.mark.timeout(200)
def test_the_watch_goes_on_after_a_restart(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    def is_heard(platform: LivePlatform, text: str) -> bool:
        say(platform, text)
        return text in heard.read_text()

    with LivePlatform(tmp_path) as platform, heard.open("w") as file:
        command = [*HOMEPORT, "upstream", "watch", "--json", "--config", str(platform.config)]
        with subprocess.Popen(command, stdout=file) as watching:
            try:
                wait_until(lambda: is_heard(platform, "before"), SECONDS)
                platform.end()
                platform.start()
                platform.wait_until_it_answers()
                wait_until(lambda: is_heard(platform, "after"), SECONDS)
                assert watching.poll() is None
            finally:
                watching.terminate()
