# SPDX-License-Identifier: Apache-2.0
"""Where a key lives, as a URI.

    file:/path/key.pem?passphrase-source=file:/path/passphrase
    pkcs11:token=LABEL;object=LABEL;id=%01%02?module-path=/path/module.so&pin-source=file:/path/pin

A bare path means `file:`. PKCS#11 URIs follow RFC 7512; of its attributes the ones above are
understood and any other is refused, because ignoring one could open another key than was meant.
`pin-value` is refused too: a PIN in a URI lands in process lists and logs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from homeport.errors import Code, HomeportError
from homeport.keys.secret import Secret, read_secret

MODULE_VARIABLE: Final = "HOMEPORT_PKCS11_MODULE"
"""Environment variable with the PKCS#11 module for URIs that name none."""

KNOWN_MODULES: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/arm-linux-gnueabihf/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
"""Where distributions put SoftHSM2; the first that exists is taken if nothing else is said."""


@dataclass(frozen=True, slots=True)
class FileUri:
    """A private key in a PKCS#8 PEM file, encrypted if a passphrase file is named."""

    path: Path
    passphrase_source: Path | None = None

    def passphrase(self) -> Secret | None:
        """Read the passphrase; None if the file is not encrypted."""
        return read_secret(self.passphrase_source) if self.passphrase_source else None

    def __str__(self) -> str:
        query = f"?passphrase-source=file:{self.passphrase_source}"
        return f"file:{self.path}{query if self.passphrase_source else ''}"


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """A private key in a PKCS#11 token (RFC 7512)."""

    text: str
    token: str
    object: str | None
    id: bytes | None
    module_path: Path
    pin_source: Path | None

    def pin(self) -> Secret | None:
        """Read the PIN; None if the token has none (or a pad of its own)."""
        return read_secret(self.pin_source) if self.pin_source else None

    def __str__(self) -> str:
        return self.text


KeyUri = FileUri | Pkcs11Uri


def parse_key_uri(uri: str) -> KeyUri:
    """Read a key URI or bare path; raise SETTING_WRONG if it is neither."""
    if not uri.isprintable():
        raise HomeportError(Code.SETTING_WRONG, f"key URI: {uri[:80]!a}")
    scheme, colon, rest = uri.partition(":")
    if not colon or "/" in scheme:
        return _parse_file(uri)
    match scheme.lower():
        case "file":
            return _parse_file(rest)
        case "pkcs11":
            return _parse_pkcs11(uri, rest)
        case _:
            raise HomeportError(Code.SETTING_WRONG, f"unknown kind of key: {scheme!r}")


class Pkcs11Parts(NamedTuple):
    """What a library that drives PKCS#11 by itself asks for (the agent's MQTT does)."""

    module_path: Path
    token_label: str
    object_label: str | None
    pin: Secret | None


def pkcs11_parts(uri: str) -> Pkcs11Parts:
    """Take a PKCS#11 URI apart and read its PIN file.

    Raise SETTING_WRONG if it is another kind of URI, KEY_STORE_UNAVAILABLE if the PIN file cannot
    be read.
    """
    place = parse_key_uri(uri)
    if not isinstance(place, Pkcs11Uri):
        raise HomeportError(Code.SETTING_WRONG, "not a PKCS#11 URI")
    return Pkcs11Parts(place.module_path, place.token, place.object, place.pin())


def _parse_file(rest: str) -> FileUri:
    path, _, query = rest.partition("?")
    attributes = _attributes(query, "&", {"passphrase-source"})
    source = attributes.get("passphrase-source")
    return FileUri(_path(path), _source(source) if source is not None else None)


def _parse_pkcs11(uri: str, rest: str) -> Pkcs11Uri:
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", {"token", "object", "id", "type"})
    asked = _attributes(query, "&", {"module-path", "pin-source"})
    if named.get("type", "private") != "private":
        raise HomeportError(Code.SETTING_WRONG, "the URI does not name a private key")
    if "token" not in named or not ("object" in named or "id" in named):
        raise HomeportError(Code.SETTING_WRONG, "a PKCS#11 URI needs token= and object= or id=")
    source = asked.get("pin-source")
    return Pkcs11Uri(
        text=uri,
        token=unquote(named["token"]),
        object=unquote(named["object"]) if "object" in named else None,
        id=unquote_to_bytes(named["id"]) if "id" in named else None,
        module_path=_module_path(asked.get("module-path")),
        pin_source=_source(source) if source is not None else None,
    )


def _attributes(text: str, separator: str, allowed: set[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            # The detail must not repeat the value.
            raise HomeportError(Code.SETTING_WRONG, "pin-value is refused; use pin-source=file:")
        if name not in allowed or not equals or name in found:
            raise HomeportError(Code.SETTING_WRONG, f"key URI: {name!r} is unknown or repeated")
        found[name] = value
    return found


def _path(text: str) -> Path:
    plain = text.removeprefix("//") if text.startswith("///") else text
    path = unquote(plain)
    if not path or "\0" in path or path.startswith("//"):
        raise HomeportError(Code.SETTING_WRONG, f"key URI: not a path: {text!r}")
    return Path(path)


def _source(text: str) -> Path:
    return _path(text.removeprefix("file:"))


def _module_path(given: str | None) -> Path:
    if given is not None:
        return _path(given)
    if configured := os.environ.get(MODULE_VARIABLE):
        return Path(configured)
    for known in map(Path, KNOWN_MODULES):
        if known.exists():
            return known
    raise HomeportError(
        Code.KEY_STORE_UNAVAILABLE, f"no PKCS#11 module: set module-path= or {MODULE_VARIABLE}"
    )
