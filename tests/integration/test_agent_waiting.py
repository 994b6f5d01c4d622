# SPDX-License-Identifier: Apache-2.0
"""What the agent does while a platform lets it wait."""

import socket
import threading
from dataclasses import replace

from fakes.agents import quick_settings, running_agent, until
from fakes.awkward_platform import fake_site
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker


@in_loop
async def test_the_mqtt_library_is_loaded_meanwhile(tmp_path):
    loaded = threading.Event()
    with fake_site(tmp_path), socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        settings = replace(quick_settings(tmp_path), address=address)
        async with running_agent(settings, FakeBroker(), load_library=loaded.set) as agent:
            await until(loaded.is_set)
            assert agent.saved.credential is None
