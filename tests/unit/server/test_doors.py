# SPDX-License-Identifier: Apache-2.0
import asyncio

import pytest

from homeport.server.doors import Doors


async def nothing(*_):
    pytest.fail("the door's own business")


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/api/v1/devices", "people"),
        ("/api/v1/", "people"),
        ("/api/v1", "devices"),
        ("/api/v10/devices", "devices"),
        ("/.well-known/homeport", "devices"),
        ("/.well-known/homeport/../../api/v1/devices", "devices"),
        ("/", "devices"),
        ("", "devices"),
    ],
)
def test_only_what_is_below_the_prefix_is_for_people(path, door):
    asked = []

    def noting(name):
        async def app(scope, receive, send):
            asked.append(name)

        return app

    doors = Doors(devices=noting("devices"), people=noting("people"))
    asyncio.run(doors({"type": "http", "path": path}, nothing, nothing))
    assert asked == [door]
