# SPDX-License-Identifier: Apache-2.0
"""The certificate revocation list of the operational identities (RFC 5280 section 5).

Our own broker asks the registry and needs no list; external upstreams that trust the issuing CA
do. The list is made when the set of revoked certificates changes, and again before it ends.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from homeport.ca.authority import CertificateAuthority
from homeport.domain.credential import Credential
from homeport.pki.authority import Revocation

LIFETIME: Final = timedelta(days=7)
"""How long a list may be used by who cannot fetch another: a week without network."""

REFRESH: Final = timedelta(days=1)
"""Age at which an unchanged list is signed again."""


class RevocationLists:
    """Makes the list, and keeps the last one."""

    def __init__(self, authority: CertificateAuthority) -> None:
        """Take the CA whose certificates are revoked."""
        self._authority = authority
        self._rows: tuple[tuple[int, datetime], ...] | None = None
        self._made: datetime | None = None
        self._number = 0
        self._list = b""

    def current(self, revoked: Sequence[Credential], now: datetime) -> bytes:
        """Return a list (DER) of exactly these credentials, not older than a day.

        Raise KEY_STORE_UNAVAILABLE if the CA's key does not answer.
        """
        rows = tuple(sorted((row.serial_number, row.revoked_at or now) for row in revoked))
        fresh = self._made is not None and timedelta() <= now - self._made < REFRESH
        if not fresh or rows != self._rows:
            self._make(rows, now.replace(microsecond=0))
        return self._list

    def _make(self, rows: tuple[tuple[int, datetime], ...], now: datetime) -> None:
        # Section 5.2.3: the number rises, also over restarts; so it is the time.
        number = max(self._number + 1, int(now.timestamp()))
        revocations = [Revocation(serial_number, since) for serial_number, since in rows]
        self._list = self._authority.revocation_list(revocations, now, now + LIFETIME, number)
        self._rows, self._made, self._number = rows, now, number
