# SPDX-License-Identifier: Apache-2.0
"""The MQTT topics, built and parsed; and what one device may do with them.

`hp/<tenant>/<device>/state`        retained: {"state":"online"|"offline", ...}; offline is the will
`hp/<tenant>/<device>/up/<channel>`   device to upstream
`hp/<tenant>/<device>/down/<channel>` upstream to device
`hp/<tenant>/<device>/command`        platform to device: renew, rekey, reset
`hp/<tenant>/<device>/result`         device to platform: what came of a command
`hp/<tenant>/<device>/twin/desired`   platform to device, retained: context and settings
`hp/<tenant>/<device>/twin/reported`  device to platform: what it says of itself

In NATS the levels are separated by dots. Tenants are the second level, so that one pattern gives a
tenant everything of its own and nothing else; after a transfer a device has other topics.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from homeport.domain.device import DeviceId
from homeport.domain.tenant import NAME
from homeport.errors import MalformedError

ROOT: Final = "hp"
_CHANNEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,7}")
"""Levels of a channel: neither wildcards nor dots, which NATS reads as separators."""


class Branch(StrEnum):
    """What a topic below a device is for."""

    STATE = "state"
    UP = "up"
    DOWN = "down"
    COMMAND = "command"
    RESULT = "result"
    TWIN = "twin"


DESIRED: Final = "desired"
REPORTED: Final = "reported"
"""The two channels of `twin`."""

CHANNELLED: Final = frozenset({Branch.UP, Branch.DOWN, Branch.TWIN})
"""The branches with channels below them."""

TO_PLATFORM: Final = (Branch.STATE, Branch.RESULT)
"""What devices say to the platform itself; kept until it was handled."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of one device."""

    tenant: str
    device: DeviceId
    branch: Branch
    channel: str = ""
    """Levels below `up`, `down` and `twin`; empty for the others."""

    def __post_init__(self) -> None:
        """Refuse what could not be a topic (MalformedError)."""
        if not NAME.fullmatch(self.tenant):
            raise MalformedError("the tenant's level of the topic is wrong")
        if (self.branch in CHANNELLED) != bool(self.channel):
            raise MalformedError("a channel stands below up, down and twin, and only there")
        if self.branch is Branch.TWIN and self.channel not in (DESIRED, REPORTED):
            raise MalformedError("a twin has the channels desired and reported")
        check = _CHANNEL.fullmatch(self.channel)
        if self.channel and not check:
            raise MalformedError("channels have up to 8 levels of A-Z a-z 0-9 _ -")

    def __str__(self) -> str:
        levels = f"{device_prefix(self.tenant, self.device)}/{self.branch}"
        return f"{levels}/{self.channel}" if self.channel else levels

    @classmethod
    def parse(cls, topic: str) -> Self:
        """Read an MQTT topic; anything that is none of ours is a MalformedError."""
        levels = topic.split("/", 4)
        if len(levels) not in (4, 5) or levels[0] != ROOT:
            raise MalformedError("not a topic of a device")
        try:
            branch = Branch(levels[3])
        except ValueError as error:
            raise MalformedError("not a topic of a device") from error
        return cls(levels[1], DeviceId.parse(levels[2]), branch, "".join(levels[4:]))

    @property
    def subject(self) -> str:
        """The same in NATS."""
        return str(self).replace("/", ".")

    @classmethod
    def parse_subject(cls, subject: str) -> Self:
        """Read a NATS subject; anything that is none of ours is a MalformedError."""
        return cls.parse(subject.replace("/", "\0").replace(".", "/"))


@dataclass(frozen=True, slots=True)
class Permissions:
    """NATS subjects that one connection may publish and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def device_prefix(tenant: str, device: DeviceId) -> str:
    """The levels that all topics of a device begin with, without a slash at the end."""
    return f"{ROOT}/{tenant}/{device}"


def device_permissions(tenant: str, device: DeviceId, *, is_held: bool = False) -> Permissions:
    """What a device may do: state, results, reports and `up` out; commands, settings, `down` in.

    `is_held`: it is in quarantine, and speaks with the platform alone.

    No `$MQTT.>`: with it in `publish` a device could forge QoS 1 deliveries to others. `down`
    itself stands beside `down.>` because MQTT's `down/#` is both (section 4.7.1.2): the broker
    refuses the pattern unless both are allowed.
    """
    prefix = device_prefix(tenant, device).replace("/", ".")
    publish = (f"{prefix}.state", f"{prefix}.result")
    subscribe = (f"{prefix}.command",)
    if is_held:
        return Permissions(publish, subscribe)
    return Permissions(
        publish=(*publish, f"{prefix}.up.>", f"{prefix}.twin.reported"),
        subscribe=(*subscribe, f"{prefix}.down", f"{prefix}.down.>", f"{prefix}.twin.desired"),
    )


def spoken_to_platform() -> tuple[str, ...]:
    """The NATS patterns of what all devices say to the platform."""
    spoken = tuple(f"{ROOT}.*.*.{branch}" for branch in TO_PLATFORM)
    return (*spoken, f"{ROOT}.*.*.{Branch.TWIN}.{REPORTED}")
