# SPDX-License-Identifier: Apache-2.0
"""The JSON objects of DPP configuration: request, configuration, connection status.

Third parties add members of their own; they travel here as they are, and who knows them reads
them. A configuration object without `cred` holds nothing else; it is sent only to devices that
showed in their request that they know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.dpp.configuration.credential import (
    Credential,
    read_credential,
    write_credential,
)
from homeport.protocols.dpp.configuration.members import (
    Json,
    Members,
    as_octets,
    is_ambiguous,
    read_json,
    to_base64url,
    write_json,
)
from homeport.protocols.dpp.configuration.provisioning import MEMBER
from homeport.protocols.dpp.wire.vocabulary import SSID_MAX, Status

NAME_MAX: Final = 64
TEXT_MAX: Final = 1_024
CHANNELS_MAX: Final = 512
INFRASTRUCTURE: Final = "infra"
_NOTHING: Final[Json] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRequest:
    """What an Enrollee says of itself when it asks (section 4.4)."""

    name: str
    technology: str = INFRASTRUCTURE
    network_role: str = "sta"
    third_party: Json = field(default_factory=dict)
    """Members besides those of the specification, by name."""

    def write(self) -> bytes:
        """Return the JSON."""
        is_octets = is_ambiguous(self.name)
        return write_json(
            {
                **self.third_party,
                "name": as_octets(self.name) if is_octets else self.name,
                "wi-fi_tech": self.technology,
                "netRole": self.network_role,
            },
            is_ascii=is_octets,
        )

    @classmethod
    def read(cls, octets: bytes) -> "ConfigurationRequest":
        """Read the JSON; raise MalformedError."""
        members = read_json(octets)
        name = members.typed_text("name", TEXT_MAX)
        if not name or not name.isprintable():
            raise members.wrong("name")
        return cls(
            name=name,
            technology=members.text("wi-fi_tech", NAME_MAX),
            network_role=members.text("netRole", NAME_MAX),
            third_party=members.rest("name", "wi-fi_tech", "netRole"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A Wi-Fi network and what lets a device in."""

    ssid: bytes
    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationObject:
    """One configuration: a network, third-party members, or both (section 4.5)."""

    network: Network | None = None
    third_party: Json = field(default_factory=dict)

    def write(self) -> bytes:
        """Return the JSON."""
        passphrase = self.network.credential.passphrase if self.network else None
        return write_json(
            {**self.third_party, **_write_network(self.network)},
            is_ascii=passphrase is not None and is_ambiguous(passphrase.reveal()),
        )

    @classmethod
    def read(cls, octets: bytes) -> "ConfigurationObject":
        """Read the JSON; raise MalformedError, CONNECTOR_UNPROVEN or DPP_INCOMPATIBLE.

        Without `cred` it is for us only with the member of provisioning.
        """
        members = read_json(octets)
        rest = members.rest("wi-fi_tech", "discovery", "cred")
        network = _read_network(members) if "cred" in members or MEMBER not in rest else None
        return cls(network=network, third_party=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """How joining the network went, or why it did not (section 8.1)."""

    result: int = Status.OK
    """OK, AUTHENTICATION_FAILURE (wrong password), INVALID_CONNECTOR, NO_MATCH or
    NO_ACCESS_POINT (not found)."""
    ssid: bytes = b""
    channels: str = ""
    """Where it looked, as in the bootstrapping URI."""
    third_party: Json = field(default_factory=dict)

    def write(self) -> bytes:
        """Return the JSON."""
        status: dict[str, Any] = {**self.third_party, "result": int(self.result)}
        if self.ssid:
            status["ssid64"] = to_base64url(self.ssid)
        if self.channels:
            status["channelList"] = self.channels
        return write_json(status)

    @classmethod
    def read(cls, octets: bytes) -> "ConnectionStatus":
        """Read the JSON; raise MalformedError."""
        members = read_json(octets)
        return cls(
            result=members.integer("result", 0xFF),
            ssid=_read_ssid(members) if "ssid64" in members or "ssid" in members else b"",
            channels=members.optional_text("channelList", CHANNELS_MAX),
            third_party=members.rest("result", "ssid64", "ssid", "channelList"),
        )


def _write_network(network: Network | None) -> Json:
    if network is None:
        return _NOTHING
    return {
        "wi-fi_tech": INFRASTRUCTURE,
        "discovery": _write_ssid(network.ssid),
        "cred": write_credential(network.credential),
    }


def _read_network(members: Members) -> Network:
    if (technology := members.text("wi-fi_tech", NAME_MAX)) != INFRASTRUCTURE:
        raise HomeportError(Code.DPP_INCOMPATIBLE, f"a network of kind {technology}")
    return Network(
        ssid=_read_ssid(members.inner("discovery")),
        credential=read_credential(members.inner("cred")),
    )


def _write_ssid(ssid: bytes) -> Mapping[str, str]:
    """`ssid` for text, `ssid64` for other octets (release 2) and for text that is ambiguous."""
    if not 0 < len(ssid) <= SSID_MAX:
        raise MalformedError(f"an SSID of {len(ssid)} bytes", Code.DPP_MALFORMED)
    try:
        text = ssid.decode()
    except UnicodeDecodeError:
        return {"ssid64": to_base64url(ssid)}
    is_plain = text.isprintable() and not is_ambiguous(text)
    return {"ssid": text} if is_plain else {"ssid64": to_base64url(ssid)}


def _read_ssid(members: Members) -> bytes:
    if "ssid64" in members:
        ssid = members.url_octets("ssid64", SSID_MAX)
    else:
        ssid = members.typed_text("ssid", SSID_MAX).encode()
    if not 0 < len(ssid) <= SSID_MAX:
        raise members.wrong("ssid")
    return ssid
