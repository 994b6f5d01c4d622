# SPDX-License-Identifier: Apache-2.0
"""The member by which a device is provisioned, and not only given Wi-Fi.

docs/protocols/provisioning-mode.md, section 6.

In the configuration request it says which device asks and for which operational key; in a
configuration object it holds the platform's signed endpoint bundle, or what the device is to sign
before it gets one. Bundle and proof are JWS in flattened JSON (RFC 7515 section 7.2.2), which this
package carries and does not judge. Whoever does not know the member passes over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.configuration.members import Json, Members, to_base64
from homeport.protocols.dpp.configuration.seen_networks import (
    SeenNetwork,
    read_networks,
    write_networks,
)

MEMBER: Final = "org.homeport"
"""In the form of a reversed domain name, as third-party members are."""
VERSION: Final = 1
TEXT_MAX: Final = 64
"""Characters of serial number, model and program, as in certificates and requests."""
CSR_MAX: Final = 8_192
"""Bytes; a PKCS#10 request with an RSA-4096 key has 1,600."""
NONCE_MAX: Final = 255
URL_MAX: Final = 255
VOUCHER_MAX: Final = 8_192
"""Bytes, as in the answers of the native protocol."""
JWS_MAX: Final = 40_000
"""Characters of a JWS's three parts: a bundle of ten times the usual size still fits a frame."""
_JWS_PARTS: Final = ("protected", "payload", "signature")


class Demand(StrEnum):
    """What a device asks for before it signs for an installer whom it does not know."""

    PRESS = "press"
    VOUCHER = "voucher"
    EITHER = "either"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningRequest:
    """Which device asks, and for what; not proven by anything but `proof`."""

    serial_number: str
    model: str
    agent: str = ""
    """Program and version."""
    epoch: int = 0
    """The highest ownership epoch that the device has seen."""
    is_owned: bool = False
    """Whether it has an owner; it takes a bundle of this owner only."""
    csr: bytes | None = None
    """PKCS#10, DER: the operational key with its proof of possession."""
    is_pressed: bool = False
    """Whether its button was pressed, and the time after that is not over."""
    demands: Demand | None = None
    """What it asks for before it signs; None: it does not say."""
    networks: tuple[SeenNetwork, ...] = ()
    """What it hears, the strongest first."""
    proof: Json | None = None
    """JWS by the device over the request and the challenge."""

    def write(self) -> Json:
        """Return the member by its name, for `ConfigurationRequest.third_party`."""
        member: dict[str, Any] = {
            "version": VERSION,
            "serialNumber": self.serial_number,
            "model": self.model,
            "agent": self.agent,
            "epoch": self.epoch,
            "owned": self.is_owned,
        }
        if self.is_pressed:
            member["pressed"] = True
        if self.demands is not None:
            member["demands"] = self.demands.value
        if self.networks:
            member["networks"] = write_networks(self.networks)
        if self.csr is not None:
            member["pkcs10"] = to_base64(self.csr)
        if self.proof is not None:
            member["proof"] = self.proof
        return {MEMBER: member}

    @classmethod
    def read(cls, third_party: Json) -> "ProvisioningRequest | None":
        """Return what the member says, or None where it is not there; raise MalformedError."""
        if (member := _member(third_party)) is None:
            return None
        return cls(
            serial_number=member.text("serialNumber", TEXT_MAX),
            model=member.text("model", TEXT_MAX),
            agent=member.optional_text("agent", TEXT_MAX),
            epoch=member.integer("epoch") if "epoch" in member else 0,
            is_owned=member.truth("owned"),
            csr=member.optional_octets("pkcs10", CSR_MAX),
            is_pressed=member.truth("pressed"),
            demands=_read_demands(member),
            networks=read_networks(member),
            proof=_read_jws(member, "proof"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the device is to sign before it gets a bundle."""

    nonce: str
    """The platform's."""
    tenant: str
    url: str
    """Where the installer takes the proof: it is signed for no other platform."""
    voucher: bytes | None = None
    """For this device and that platform, if there is one."""

    def write(self) -> Json:
        """Return the challenge as a JSON object."""
        member = {"nonce": self.nonce, "tenant": self.tenant, "url": self.url}
        if self.voucher is not None:
            member["voucher"] = to_base64(self.voucher)
        return member

    @classmethod
    def read(cls, member: Members) -> "Challenge":
        """Return what the object says; raise MalformedError."""
        return cls(
            nonce=member.text("nonce", NONCE_MAX),
            tenant=member.text("tenant", NONCE_MAX),
            url=member.text("url", URL_MAX),
            voucher=member.optional_octets("voucher", VOUCHER_MAX),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningAnswer:
    """A bundle, or what is needed for one."""

    bundle: Json | None = None
    """JWS by the platform: where the device belongs, its certificate, its endpoints."""
    challenge: Challenge | None = None

    def write(self) -> Json:
        """Return the member by its name, for `ConfigurationObject.third_party`."""
        member: dict[str, Any] = {"version": VERSION}
        if self.bundle is not None:
            member["bundle"] = self.bundle
        if self.challenge is not None:
            member["challenge"] = self.challenge.write()
        return {MEMBER: member}

    @classmethod
    def read(cls, third_party: Json) -> "ProvisioningAnswer | None":
        """Return what the member says, or None where it is not there; raise MalformedError."""
        if (member := _member(third_party)) is None:
            return None
        challenge = Challenge.read(member.inner("challenge")) if "challenge" in member else None
        return cls(bundle=_read_jws(member, "bundle"), challenge=challenge)


def _member(third_party: Json) -> Members | None:
    """The member, of a version that we know; unknown members inside it are passed over."""
    if MEMBER not in third_party:
        return None
    member = Members(third_party).inner(MEMBER)
    if member.integer("version") != VERSION:
        raise member.wrong("version")
    return member


def _read_demands(member: Members) -> Demand | None:
    """What a later version demands is unknown here: who reads it learns it by being refused."""
    said = member.optional_text("demands", TEXT_MAX)
    return Demand(said) if said in {each.value for each in Demand} else None


def _read_jws(member: Members, name: str) -> Json | None:
    """Return a JWS with exactly its three parts, as it came; nothing inside is trusted."""
    if name not in member:
        return None
    jws: Mapping[str, Any] = member.mapping(name)
    if set(jws) != set(_JWS_PARTS) or not all(isinstance(part, str) for part in jws.values()):
        raise member.wrong(name)
    if sum(map(len, jws.values())) > JWS_MAX:
        raise MalformedError(f"{name} is too long", Code.TOO_LARGE)
    return jws
