# SPDX-License-Identifier: Apache-2.0
"""Devices: looked for, looked at, and decided on."""

from collections.abc import Iterator, Mapping

from homeport.api.client.asking import Asking, document
from homeport.api.wire.devices import (
    Assignment,
    Decision,
    Device,
    DeviceDetails,
    Revocation,
    TimelineEvent,
)
from homeport.api.wire.model import Page
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError, MalformedError


class Devices:
    """`/devices`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def pages(
        self, *, after: str | None = None, limit: int = 100, **wanted: object
    ) -> Iterator[Page[Device]]:
        """Read a list; `wanted` are the filters of `list_devices`."""
        return self._pages(after, limit, wanted)

    def all(self, **wanted: object) -> Iterator[Device]:
        """Read a whole list, device by device."""
        for page in self._pages(None, 1000, wanted):
            yield from page.items

    def get(self, device: str) -> DeviceDetails:
        """Read one by its id."""
        return self._asking.get(DeviceDetails, "devices", device)

    def find(self, text: str) -> DeviceDetails:
        """Return the one with this id or serial number; DEVICE_UNKNOWN if none, or several."""
        if (known := self._by_id(text)) is not None:
            return known
        found = list(self.all(serial_number=text))
        if not found:
            raise HomeportError(Code.DEVICE_UNKNOWN, text)
        if len(found) > 1:
            ids = ", ".join(device.id for device in found)
            detail = f"several makers have that number; say which: {ids}"
            raise HomeportError(Code.DEVICE_UNKNOWN, detail)
        return self.get(found[0].id)

    def timeline(self, device: str) -> Iterator[TimelineEvent]:
        """Read what happened to it, oldest first."""
        for page in self._asking.pages(TimelineEvent, "devices", device, "timeline"):
            yield from page.items

    def assign(self, device: str, tenant: str, upstream: str | None = None) -> DeviceDetails:
        """Say whose it is."""
        said = document(Assignment, tenant=tenant, upstream=upstream)
        return self._asking.post(DeviceDetails, "devices", device, "assign", said=said)

    def revoke(self, device: str, reason: str) -> DeviceDetails:
        """Revoke its access."""
        said = document(Revocation, reason=reason)
        return self._asking.post(DeviceDetails, "devices", device, "revoke", said=said)

    def readmit(self, device: str) -> DeviceDetails:
        """Let it enrol again."""
        return self._asking.post(DeviceDetails, "devices", device, "readmit")

    def accept(self, device: str, key: str | None = None) -> DeviceDetails:
        """Accept a second key."""
        said = document(Decision, key=key)
        return self._asking.post(DeviceDetails, "devices", device, "accept", said=said)

    def refuse(self, device: str, key: str | None = None) -> DeviceDetails:
        """Refuse a second key."""
        said = document(Decision, key=key)
        return self._asking.post(DeviceDetails, "devices", device, "refuse", said=said)

    def _pages(
        self, after: str | None, limit: int, wanted: Mapping[str, object]
    ) -> Iterator[Page[Device]]:
        query = {**wanted, "limit": limit}
        return self._asking.pages(Device, "devices", query=query, after=after)

    def _by_id(self, text: str) -> DeviceDetails | None:
        try:
            return self.get(str(DeviceId.parse(text)))
        except MalformedError:
            return None
        except HomeportError as error:
            if error.code is Code.NOT_FOUND:  # a serial number that looks like an id
                return None
            raise
