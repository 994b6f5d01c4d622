# SPDX-License-Identifier: Apache-2.0
"""What wpa_supplicant says in text: names of networks, scan results, lists of networks.

Names are chosen by whoever owns an access point nearby. wpa_supplicant escapes them like printf;
here they are octets, read strictly: a line that is not as it should be is passed over.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from homeport.errors import MalformedError
from homeport.radio.wifi.port import SSID_MAX, Security, Seen

_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-f]{2})|([\\\"enrt]))|\\|([^\x20-\x7e])")
_NAMED: Final = {b"\\": b"\\", b'"': b'"', b"e": b"\x1b", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SCANNED: Final = re.compile(
    r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}\t\d{1,6}\t(-?\d{1,4})\t((?:\[[^\[\]\t]*\])*)\t(.*)"
)
_FLAG: Final = re.compile(r"\[([^\[\]]*)\]")
_PROTECTION: Final = re.compile(
    r"(?:WPA2?|RSN|OSEN)-(?P<akms>.+?)-(?:[A-Z]+(?:-(?:128|256))?)"
    r"(?:\+[A-Z]+(?:-(?:128|256))?)*(?:-preauth)?"
)
_BY_KIND: Final[Mapping[str, Security]] = {
    "psk": Security.PSK,
    "sae": Security.SAE,
    "enterprise": Security.ENTERPRISE,
    "other": Security.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A network that wpa_supplicant knows."""

    number: int
    is_current: bool
    is_disabled: bool


def read_escaped(text: str) -> bytes:
    """Return the octets that wpa_supplicant has written as text (`printf_encode`)."""

    def plain(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes.fromhex(found[1].decode())
        if found[2]:
            return _NAMED[found[2]]
        raise MalformedError("an escape that wpa_supplicant does not write")

    return _ESCAPE.sub(plain, text.encode())


def read_scan(reply: str) -> list[Seen]:
    """Read the reply to SCAN_RESULTS: one entry for each access point that tells its name."""
    return list(_access_points(reply))


def by_name(access_points: list[Seen]) -> list[Seen]:
    """Leave the strongest access point of each name, the strongest first."""
    strongest: dict[bytes, Seen] = {}
    for each in sorted(access_points, key=lambda seen: -seen.signal):
        strongest.setdefault(each.ssid, each)
    return list(strongest.values())


def read_security(flags: str) -> Security:
    """Tell from the flags of a scan how an access point lets devices in."""
    kinds: set[str] = set()
    for flag in _FLAG.findall(flags):
        if found := _PROTECTION.fullmatch(flag):
            kinds |= {_kind(akm) for akm in found["akms"].split("+")}
        elif flag in {"WEP", "OWE-TRANS"} or flag.startswith(("WPA", "RSN", "OSEN")):
            kinds.add("other")
    if kinds >= {"psk", "sae"}:
        return Security.PSK_SAE
    for kind, security in _BY_KIND.items():
        if kind in kinds:
            return security
    return Security.OPEN


def read_networks(reply: str) -> list[Stored]:
    """Read the reply to LIST_NETWORKS; of the names nothing is taken."""
    networks = []
    for line in reply.splitlines():
        number, _, rest = line.partition("\t")
        if number.isascii() and number.isdigit():
            flags = rest.rpartition("\t")[2]
            networks.append(
                Stored(
                    number=int(number),
                    is_current="[CURRENT]" in flags,
                    is_disabled="[DISABLED]" in flags,
                )
            )
    return networks


def read_values(reply: str) -> Mapping[str, str]:
    """Read a reply of lines `name=value`, such as that to STATUS."""
    return dict(line.split("=", 1) for line in reply.splitlines() if "=" in line)


def _access_points(reply: str) -> Iterator[Seen]:
    for line in reply.splitlines():
        found = _SCANNED.fullmatch(line)
        if not found:
            continue
        try:
            ssid = read_escaped(found[3])
        except MalformedError:
            continue
        if ssid.strip(b"\0") and len(ssid) <= SSID_MAX:  # hidden ones have none, or zeros
            yield Seen(ssid=ssid, signal=int(found[1]), security=read_security(found[2]))


def _kind(akm: str) -> str:
    name = akm.removeprefix("FT/").removesuffix("-SHA256")
    return {"PSK": "psk", "SAE": "sae", "EAP": "enterprise"}.get(
        name, "enterprise" if name.startswith("EAP") else "other"
    )
