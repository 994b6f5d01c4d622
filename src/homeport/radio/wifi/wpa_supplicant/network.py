# SPDX-License-Identifier: Apache-2.0
"""A profile as wpa_supplicant's network block: which keys, for what is really there. No I/O.

Everything that others choose goes over as hexadecimal digits: nothing of it is ever quoted, so
nothing of it ends a quotation, in the socket or in the file that wpa_supplicant writes.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.radio.wifi.port import Profile, Security

PSK_ROUNDS: Final = 4_096
PSK_OCTETS: Final = 32
"""802.11 annex J.4.1."""

Fields = Mapping[str, str]

_ALLOWED: Final[Mapping[Security, tuple[Security, ...]]] = {
    Security.OPEN: (Security.OPEN,),
    Security.PSK: (Security.PSK_SAE, Security.SAE, Security.PSK),
    Security.PSK_SAE: (Security.PSK_SAE, Security.SAE, Security.PSK),
    Security.SAE: (Security.SAE, Security.PSK_SAE),
    Security.ENTERPRISE: (),
    Security.UNKNOWN: (),
}
"""What may be there for what is wanted, the best first. Never less than was wanted: whoever puts
up an open network of the same name gets no device, and no WPA3 password is used with WPA2."""


def fields(profile: Profile, there: Collection[Security], *, has_sae: bool) -> Fields:
    """Return the fields of the network block; raise WIFI_REFUSED if nothing there fits.

    `there` is what the access points of that name offer; empty: none was seen (it may be hidden).
    `has_sae` says whether this radio can do WPA3.
    """
    offered = _usable(profile, there, has_sae=has_sae)
    block = {
        "ssid": profile.ssid.hex(),
        "scan_ssid": str(int(profile.is_hidden or not there)),
    }
    if offered is Security.OPEN:
        return block | {"key_mgmt": "NONE"}
    is_psk = offered is not Security.SAE
    is_sae = offered is not Security.PSK
    akms = ["WPA-PSK", "WPA-PSK-SHA256"] * is_psk + ["SAE"] * is_sae
    block["key_mgmt"] = " ".join(akms)
    if is_psk:
        block["psk"] = profile.psk_hex or pairwise_key(profile)
    if is_sae:
        block["sae_password"] = profile.passphrase.encode().hex()
        # Management frames are protected: SAE demands it; in a mixed network what is there decides.
        block["ieee80211w"] = "1" if is_psk else "2"
    return block


def pairwise_key(profile: Profile) -> str:
    """Return the 256 bits that a WPA2 passphrase stands for, in hexadecimal digits."""
    key = hashlib.pbkdf2_hmac(
        "sha1", profile.passphrase.encode(), profile.ssid, PSK_ROUNDS, PSK_OCTETS
    )
    return key.hex()


def _usable(profile: Profile, there: Collection[Security], *, has_sae: bool) -> Security:
    """What to join with: the best that profile, access point and radio have in common."""
    can_sae = has_sae and not profile.psk_hex
    allowed = _ALLOWED[profile.security]
    offered = next((each for each in allowed if not there or each in there), None)
    if offered is None:
        raise _refused(f"it is {_named(there)}, and {profile.security} was asked for")
    if offered is Security.PSK_SAE and profile.security is Security.SAE:
        offered = Security.SAE
    if offered is Security.PSK_SAE and not can_sae:
        return Security.PSK
    if offered is Security.SAE and not can_sae:
        lacking = "the profile has no passphrase" if has_sae else "this radio does not have WPA3"
        raise _refused(f"it wants WPA3, and {lacking}")
    return offered


def _named(there: Collection[Security]) -> str:
    return " and ".join(sorted(there)) or "not seen"


def _refused(why: str) -> HomeportError:
    return HomeportError(Code.WIFI_REFUSED, why)
