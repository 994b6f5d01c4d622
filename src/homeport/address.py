# SPDX-License-Identifier: Apache-2.0
"""A platform's base URL: `https://HOST[:PORT]`, written in exactly one way.

Everything the device asks lives under `/.well-known/homeport` of that origin, so a candidate
carries no path, query or fragment; and no userinfo, which only ever serves to mislead a reader.
RFC 3986 section 3.2.2 for hosts, RFC 6454 section 4 for origins.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from homeport.errors import MalformedError

HTTPS_PORT: Final = 443
MAX_PORT: Final = 0xFFFF
MAX_HOST_LENGTH: Final = 253
"""Characters of a DNS name without its final dot (RFC 1035 section 2.3.4)."""

_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def platform_url(text: str, *, cut_path: bool = False) -> str:
    """Normalise an address to scheme, host and port (443 left out).

    A path other than `/` is refused, or cut off with `cut_path` (for lists made for others).
    Raises MalformedError.
    """
    if not _VISIBLE.fullmatch(text):
        raise MalformedError("an address must be visible ASCII without spaces")
    if "\\" in text:
        # Browsers read it as a slash, libraries as part of the host: nobody means it well.
        raise MalformedError("an address with a backslash")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise MalformedError("an address that is no URL") from error
    if parts.scheme != "https":
        raise MalformedError("an address must begin with https://")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise MalformedError("an address with userinfo, query or fragment")
    if parts.path not in {"", "/"} and not cut_path:
        raise MalformedError("an address with a path")
    return https_url(parts.hostname or "", HTTPS_PORT if port is None else port)


def https_url(host: str, port: int) -> str:
    """Write host (DNS name or IP address, without brackets) and port as a base URL.

    Raises MalformedError for what is neither, and for port 0 or beyond 65,535.
    """
    if not 0 < port <= MAX_PORT:
        raise MalformedError("an address with an impossible port")
    suffix = "" if port == HTTPS_PORT else f":{port}"
    name = host_name(host)
    return f"https://[{name}]{suffix}" if ":" in name else f"https://{name}{suffix}"


def host_name(host: str) -> str:
    """Normalise a DNS name or IP address, without brackets; raise MalformedError."""
    name = host.lower().removesuffix(".")
    if ":" in name:
        return _ipv6(name)
    labels = name.split(".")
    if len(name) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise MalformedError("an address without a proper host")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return _ipv4(name)
    return name


def _ipv4(text: str) -> str:
    # Names that end in a number are addresses in some resolvers ("127.1"): only dotted quads pass.
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise MalformedError("an address with a broken IPv4 address") from error


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError as error:
        raise MalformedError("an address with a broken IPv6 address") from error
    if address.scope_id is not None:
        # RFC 9844: a zone means something on one machine only; it cannot come from another.
        raise MalformedError("an address with an IPv6 zone")
    return str(address)
