# SPDX-License-Identifier: Apache-2.0
"""Operational keys: made under a name that is written down first, deleted by a list that is.

The name is the request's id, so a key is found again after a power cut between its making and the
next write, and none is ever left over. Where they live is one setting: a directory, or a token
whose PKCS#11 URI gets the label `homeport-<request id>`.
"""

import logging
import secrets
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, delete_key, make_key, open_key

logger = logging.getLogger(__name__)

REQUEST_ID_SIZE: Final = 16
"""Octets: 128 random bits do not repeat."""


def new_request_id() -> str:
    """Make the name of a key and of the request for its certificate."""
    return secrets.token_hex(REQUEST_ID_SIZE)


class KeyRing:
    """Makes, opens and deletes operational keys in one place."""

    def __init__(self, place: str, directory: Path) -> None:
        """Take `operational_keys` of device.toml, and the directory that a bare `file:` means."""
        self._place = place
        self._directory = directory

    def uri_for(self, request_id: str) -> str:
        """Return where the key for that request is, or will be."""
        if not self._place.startswith("pkcs11:"):
            return f"file:{self._directory / request_id}.pem"
        path, mark, query = self._place.partition("?")
        return f"{path.rstrip(';')};object=homeport-{request_id}{mark}{query}"

    def open(self, uri: str) -> PrivateKey:
        """Open a key that was made; raise KEY_MISSING, KEY_STORE_UNAVAILABLE."""
        return open_key(uri)

    def open_or_make(self, uri: str) -> PrivateKey:
        """Open the key, which is made if it is not there yet. Raise KEY_STORE_UNAVAILABLE."""
        try:
            return open_key(uri)
        except HomeportError as error:
            if error.code is not Code.KEY_MISSING:
                raise
        return make_key(uri)

    def delete(self, uri: str) -> bool:
        """Delete a key; False if that must be tried again later."""
        try:
            delete_key(uri)
        except HomeportError as error:
            if error.code is Code.KEY_MISSING:
                return True
            logger.warning("an old key could not be deleted: %s", error)
            return False
        return True

    def sweep(self, wanted: frozenset[str]) -> None:
        """Remove what a power cut left of files that were being made, and keys nobody names."""
        for path in self._directory.iterdir():
            if f"file:{path}" not in wanted:
                path.unlink(missing_ok=True)
