# SPDX-License-Identifier: Apache-2.0
"""Open, make and delete keys by URI: one row for each kind of place.

A new kind of key store is one file in this room, one class of URI and one row in each table.
The PKCS#11 file is imported when the first such key is opened: programs without tokens need not
have `python-pkcs11`, and start without loading it.
"""

from homeport.keys.file import delete_file_key, make_file_key, open_file_key
from homeport.keys.private_key import PrivateKey
from homeport.keys.uri import FileUri, Pkcs11Uri, parse_key_uri


def open_key(uri: str) -> PrivateKey:
    """Open the key at `uri`.

    Raise SETTING_WRONG for a wrong URI, KEY_MISSING if nothing is there, KEY_STORE_UNAVAILABLE if
    the place does not answer (module, token, PIN, passphrase), KEY_UNSUITABLE for a kind of key
    that we do not use.
    """
    match parse_key_uri(uri):
        case FileUri() as place:
            return open_file_key(place)
        case Pkcs11Uri() as place:
            from homeport.keys.pkcs11 import open_pkcs11_key  # noqa: PLC0415

            return open_pkcs11_key(place)


def make_key(uri: str, curve: str = "P-256") -> PrivateKey:
    """Make a new EC key at `uri`, on P-256 or P-384.

    Raise ALREADY_EXISTS rather than replace one, KEY_UNSUITABLE for another curve, and as
    `open_key` for the rest.
    """
    match parse_key_uri(uri):
        case FileUri() as place:
            return make_file_key(place, curve)
        case Pkcs11Uri() as place:
            from homeport.keys.pkcs11 import make_pkcs11_key  # noqa: PLC0415

            return make_pkcs11_key(place, curve)


def delete_key(uri: str) -> None:
    """Delete the key at `uri` for good; raise KEY_MISSING if nothing is there."""
    match parse_key_uri(uri):
        case FileUri() as place:
            delete_file_key(place)
        case Pkcs11Uri() as place:
            from homeport.keys.pkcs11 import delete_pkcs11_key  # noqa: PLC0415

            delete_pkcs11_key(place)
