# SPDX-License-Identifier: Apache-2.0
"""Credentials for a Wi-Fi network: PSK, SAE, DPP, and mixtures (section 4.5).

    {"akm": "psk+sae", "pass": "correct horse"}
    {"akm": "dpp", "signedConnector": "...", "csign": {"kty": "EC", ..., "kid": "..."}}

`akm` is a sum of names, or of the selectors of IEEE 802.11 in hexadecimal, which release 2 may
send. 802.1X (`dot1x` with `entCreds`) has its place here as one more `Akm`; until then a credential
with nothing but unknown kinds is refused as DPP_INCOMPATIBLE.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, HomeportError
from homeport.keys import Secret
from homeport.protocols.dpp.configuration.connector import (
    CONNECTOR_MAX,
    Connector,
    verify_connector,
)
from homeport.protocols.dpp.configuration.jwk import key_id, read_jwk, write_jwk
from homeport.protocols.dpp.configuration.members import Json, Members, as_octets, is_ambiguous

AKM_MAX: Final = 128
PASSPHRASE_MAX: Final = 63
"""Bytes of a WPA2 passphrase (802.11 annex J), in UTF-8; so much of SAE, too."""
PASSPHRASE_MIN: Final = 8
"""Of PSK; SAE has no least length, but wpa_supplicant 2.10 takes no shorter one either."""
PSK_DIGITS: Final = 64


class Akm(StrEnum):
    """How a device shows that it may join ("authentication and key management")."""

    DPP = "dpp"
    PSK = "psk"
    SAE = "sae"


SELECTORS: Final[Mapping[str, Akm]] = {
    "506F9A02": Akm.DPP,
    "000FAC02": Akm.PSK,
    "000FAC06": Akm.PSK,
    "000FAC08": Akm.SAE,
}
"""Suite selectors (802.11 table 9-151)."""
_WITH_PASSPHRASE: Final = frozenset({Akm.PSK, Akm.SAE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What lets a device into a network; the secrets do not print."""

    akms: frozenset[Akm]
    passphrase: Secret | None = None
    psk: Secret | None = None
    """The key itself, 64 hexadecimal digits, instead of a passphrase; not for SAE."""
    connector: Connector | None = None
    signing_key: ec.EllipticCurvePublicKey | None = None
    """The Configurator's, which the connector is to be trusted by."""

    def __post_init__(self) -> None:
        """Refuse a credential that lets nobody in (DPP_MALFORMED)."""
        if reason := _fault(self):
            raise HomeportError(Code.DPP_MALFORMED, f"a credential {reason}")


def write_credential(credential: Credential) -> Json:
    """Return the `cred` object; it is to be written in ASCII if the passphrase is ambiguous."""
    cred: dict[str, Any] = {"akm": "+".join(sorted(credential.akms))}
    if credential.passphrase:
        passphrase = credential.passphrase.reveal()
        cred["pass"] = as_octets(passphrase) if is_ambiguous(passphrase) else passphrase
    if credential.psk:
        cred["psk_hex"] = credential.psk.reveal()
    if credential.connector and credential.signing_key:
        cred["signedConnector"] = credential.connector.signed
        signing = credential.signing_key
        cred["csign"] = write_jwk(signing, kid=key_id(signing))
    return cred


def read_credential(cred: Members) -> Credential:
    """Read a `cred` object and verify its connector.

    Raise MalformedError, CONNECTOR_UNPROVEN, or DPP_INCOMPATIBLE if all its kinds are unknown.
    """
    akms = _read_akms(cred.text("akm", AKM_MAX))
    passphrase = cred.typed_text("pass", PASSPHRASE_MAX) if "pass" in cred else ""
    psk = cred.optional_text("psk_hex", PSK_DIGITS)
    connector = signing = None
    if "signedConnector" in cred and "csign" in cred:
        signing = read_jwk(cred.inner("csign"))
        connector = verify_connector(cred.text("signedConnector", CONNECTOR_MAX), signing)
    return Credential(
        akms=akms,
        passphrase=Secret(passphrase) if passphrase else None,
        psk=Secret(psk) if psk else None,
        connector=connector,
        signing_key=signing,
    )


def _read_akms(text: str) -> frozenset[Akm]:
    names = text.split("+")
    known = {SELECTORS.get(name.upper(), name) for name in names}
    akms = frozenset(akm for akm in Akm if akm in known)
    if not akms:
        raise HomeportError(Code.DPP_INCOMPATIBLE, f"credentials of kind {text}")
    return akms


def _fault(credential: Credential) -> str:
    """Return what is wrong with a credential, or nothing."""
    if not credential.akms:
        return "of no kind"
    if Akm.DPP in credential.akms and credential.connector is None:
        return "without connector"
    if (credential.connector is None) is not (credential.signing_key is None):
        return "with a connector and no key for it"
    if credential.psk and not re.fullmatch(r"[0-9a-fA-F]{64}", credential.psk.reveal()):
        return "with a key that is not 64 hexadecimal digits"
    if credential.passphrase is None:
        needed = Akm.SAE in credential.akms or (Akm.PSK in credential.akms and not credential.psk)
        return "without passphrase" if needed else ""
    passphrase = credential.passphrase.reveal()
    shortest = PASSPHRASE_MIN if credential.akms & _WITH_PASSPHRASE == {Akm.PSK} else 1
    fits = shortest <= len(passphrase.encode()) <= PASSPHRASE_MAX and passphrase.isprintable()
    return "" if fits else "with a passphrase of a wrong length, or with characters that none has"
