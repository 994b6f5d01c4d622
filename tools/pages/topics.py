# SPDX-License-Identifier: Apache-2.0
"""docs/reference/topics.md, from `homeport.domain.topics`."""

from typing import Final

from homeport.domain import topics
from homeport.domain.device import DeviceId
from homeport.domain.topics import (
    CHANNELLED,
    DESIRED,
    Branch,
    Permissions,
    Topic,
    device_permissions,
)
from tools.pages.markdown import table

PURPOSE: Final = {
    Branch.STATE: "retained: `online` once connected; `offline` is the last will",
    Branch.UP: "from the device to its upstream",
    Branch.DOWN: "from the upstream to the device",
    Branch.COMMAND: "from the platform to the device: renew, rekey, reset; signed",
    Branch.TWIN: "`desired`: retained, what the device is told; `reported`: what it says of itself",
    Branch.RESULT: "from the device to the platform: what came of a command",
}

TENANT: Final = "acme"
DEVICE: Final = DeviceId.parse("abcdefghijklmnop-SN0001")

INTRODUCTION: Final = """\
# MQTT topics

The tenant is the second level, so that one pattern gives a tenant everything of its own and nothing
else; after a transfer a device has other topics. In NATS the levels are separated by dots.

"""


def page() -> str:
    """The topics of one device, and what it may do with them."""
    rows = [(f"`{_example(branch)}`", PURPOSE[branch]) for branch in Branch]
    allowed = device_permissions(TENANT, DEVICE)
    held = device_permissions(TENANT, DEVICE, is_held=True)
    watched = ", ".join(f"`{subject}`" for subject in topics.spoken_to_platform())
    return (
        INTRODUCTION
        + f"Tenant `{TENANT}`, device `{DEVICE}`; a channel has up to eight levels:\n\n"
        + table(("topic", "for"), rows)
        + "\nWhat the broker lets this device do, as NATS subjects:\n\n"
        + _permissions(allowed)
        + "\nAnd while it is in quarantine:\n\n"
        + _permissions(held)
        + f"\nThe platform itself watches {watched}.\n"
    )


def _permissions(allowed: Permissions) -> str:
    subjects = {"publish": allowed.publish, "subscribe": allowed.subscribe}
    rows = [(may, ", ".join(f"`{each}`" for each in those)) for may, those in subjects.items()]
    return table(("may", "subjects"), rows)


def _example(branch: Branch) -> Topic:
    channel = {Branch.TWIN: DESIRED}.get(branch, "temperature")
    return Topic(TENANT, DEVICE, branch, channel if branch in CHANNELLED else "")
