# SPDX-License-Identifier: Apache-2.0
"""Content of DHCP options 143 (v4) and 136 (v6): a list of bootstrap servers.

RFC 8572 section 8: repeated `uint16 length (network byte order) || URI`, each URI of the form
`https://HOST[:PORT]`. Many servers are configured with the bare text instead, so plain text with
one URI is read too; the two cannot be mistaken for each other, because "ht" read as a length is
26,740. Whoever sits on the LAN writes these bytes: the parser is total and bounded.
"""

import re
import struct
from collections.abc import Sequence
from typing import Final

from homeport.address import platform_url
from homeport.errors import MalformedError

MAX_URIS: Final = 8
"""Each one may cost a connection attempt; nobody runs more bootstrap servers for one LAN."""

MAX_URI_LENGTH: Final = 1024
"""Characters. A DNS name has at most 253; the rest is room for a path that is then cut off."""

_PLAIN_TEXT: Final = re.compile(rb"https?:", re.IGNORECASE)
_LENGTH: Final = struct.Struct(">H")


def parse_bootstrap_servers(content: bytes) -> tuple[str, ...]:
    """Read the option's content; return platform base URLs, in the server's order.

    One bad entry refuses the whole option: a list that is half right comes from somebody who
    does not know what the other half does. Raises MalformedError.
    """
    if _PLAIN_TEXT.match(content):
        # Strings in some servers' configuration end with the NUL of C.
        return (_url(content.removesuffix(b"\0")),)
    urls: list[str] = []
    at = 0
    while at < len(content):
        if len(urls) == MAX_URIS:
            raise MalformedError(f"more than {MAX_URIS} bootstrap servers")
        if at + _LENGTH.size > len(content):
            raise MalformedError("a bootstrap server's length is cut off")
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        if at + length > len(content):
            raise MalformedError("a bootstrap server's URI is longer than the option")
        urls.append(_url(content[at : at + length]))
        at += length
    if not urls:
        raise MalformedError("no bootstrap server in the option")
    return tuple(urls)


def encode_bootstrap_servers(uris: Sequence[str]) -> bytes:
    """Write the option's content in the form of RFC 8572, for those who configure a DHCP server.

    Raises MalformedError for what the parser would refuse.
    """
    if not 0 < len(uris) <= MAX_URIS:
        raise MalformedError(f"{len(uris)} bootstrap servers; 1 to {MAX_URIS} fit")
    for uri in uris:
        platform_url(uri, cut_path=True)
    encoded = [_bounded(uri.encode("ascii")) for uri in uris]
    return b"".join(_LENGTH.pack(len(uri)) + uri for uri in encoded)


def _bounded(uri: bytes) -> bytes:
    if len(uri) > MAX_URI_LENGTH:
        raise MalformedError(f"a bootstrap server's URI has more than {MAX_URI_LENGTH} characters")
    return uri


def _url(raw: bytes) -> str:
    try:
        text = _bounded(raw).decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError("a bootstrap server's URI is not ASCII") from error
    # RFC 8572 knows no path here, yet some configurations carry one; ours is well-known.
    return platform_url(text, cut_path=True)
