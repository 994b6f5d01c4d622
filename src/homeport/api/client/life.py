# SPDX-License-Identifier: Apache-2.0
"""What is done with devices after they arrived: commands, quarantine, replacement, transfers."""

from homeport.api.client.asking import Asking, document
from homeport.api.wire.devices import DeviceDetails
from homeport.api.wire.life import (
    Acceptance,
    CodeAcceptance,
    Command,
    Commands,
    Holding,
    NewCommand,
    NewOffer,
    Offer,
    Offered,
    Recommissioning,
    Reset,
    Successor,
    TakenOver,
)


class Life:
    """The verbs below `/devices/{id}`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def commands(self, device: str) -> list[Command]:
        """Return what it was asked to do, newest first."""
        return self._asking.get(Commands, "devices", device, "commands").items

    def command(self, device: str, order: str) -> Command:
        """Ask it to renew or rekey."""
        said = document(NewCommand, order=order)
        return self._asking.post(Command, "devices", device, "commands", said=said)

    def withdraw_command(self, device: str) -> DeviceDetails:
        """Take back what it has not answered."""
        return self._asking.post(DeviceDetails, "devices", device, "commands", "withdraw")

    def reset(self, device: str, *, keeps_context: bool) -> DeviceDetails:
        """Let it forget and enrol anew, under the same owner."""
        said = document(Reset, keeps_context=keeps_context)
        return self._asking.post(DeviceDetails, "devices", device, "reset", said=said)

    def quarantine(self, device: str, reason: str) -> DeviceDetails:
        """Let its messages go nowhere."""
        said = document(Holding, reason=reason)
        return self._asking.post(DeviceDetails, "devices", device, "quarantine", said=said)

    def release(self, device: str) -> DeviceDetails:
        """End its quarantine."""
        return self._asking.post(DeviceDetails, "devices", device, "release")

    def replace(self, old: str, new: str) -> DeviceDetails:
        """Let the new one take the old one's place."""
        said = document(Successor, device=new)
        return self._asking.post(DeviceDetails, "devices", old, "replace", said=said)

    def undo_replacement(self, new: str) -> DeviceDetails:
        """Put back what the new one has replaced, until it has arrived."""
        return self._asking.post(DeviceDetails, "devices", new, "undo-replacement")

    def decommission(self, device: str) -> DeviceDetails:
        """End its life."""
        return self._asking.post(DeviceDetails, "devices", device, "decommission")

    def recommission(self, device: str, tenant: str | None) -> DeviceDetails:
        """Take it back into use."""
        said = document(Recommissioning, tenant=tenant)
        return self._asking.post(DeviceDetails, "devices", device, "recommission", said=said)

    def offer(self, device: str, tenant: str | None, days: int) -> Offered:
        """Offer it to a tenant, or to whoever has the code in the answer."""
        said = document(NewOffer, tenant=tenant, days=days)
        return self._asking.post(Offered, "devices", device, "offer", said=said)


class Transfers:
    """`/transfers`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def all(self) -> list[Offer]:
        """Return the offers from and to one's tenants, newest first."""
        return [each for page in self._asking.pages(Offer, "transfers") for each in page.items]

    def accept(self, offer: str, tenant: str, upstream: str | None) -> TakenOver:
        """Accept an offer to the tenant."""
        said = document(Acceptance, tenant=tenant, upstream=upstream)
        return self._asking.post(TakenOver, "transfers", offer, "accept", said=said)

    def accept_code(self, code: str, tenant: str, upstream: str | None) -> TakenOver:
        """Accept the offer that the code came with."""
        said = document(CodeAcceptance, code=code, tenant=tenant, upstream=upstream)
        return self._asking.post(TakenOver, "transfers", "accept-code", said=said)

    def decline(self, offer: str) -> Offer:
        """Say no, as the tenant that it names."""
        return self._asking.post(Offer, "transfers", offer, "decline")

    def withdraw(self, offer: str) -> Offer:
        """Take it back, as the tenant that made it."""
        return self._asking.post(Offer, "transfers", offer, "withdraw")
