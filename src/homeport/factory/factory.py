# SPDX-License-Identifier: Apache-2.0
"""A factory that is there: its directory opened, its keys at hand when they are asked for."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509

from homeport.errors import Code, HomeportError
from homeport.factory.archive.file import open_seal
from homeport.factory.archive.sealing import Seal
from homeport.factory.key_places import in_directory
from homeport.factory.settings import (
    ARCHIVE_FILE,
    IDEVID_ANCHOR_FILE,
    IDEVID_CHAIN_FILE,
    MANIFEST_SIGNER_FILE,
    PLATFORM_ANCHORS_FILE,
    VOUCHER_ANCHOR_FILE,
    VOUCHER_SIGNER_FILE,
    read_settings,
)
from homeport.keys import PrivateKey, open_key, read_secret
from homeport.pki.certificates import authority_id, der_of, load_bundle
from homeport.pki.idevid import IdevIdMinter


class Factory:
    """One factory's directory.

    Every attribute is read when first used, so that a command needs only the keys that it uses.
    Raise FILE_MISSING, SETTING_WRONG, PASSPHRASE_WRONG, and what `open_key` raises.
    """

    def __init__(self, directory: Path) -> None:
        """Read the settings; raise FILE_MISSING if there is no factory."""
        self.directory: Final = directory
        self.settings: Final = read_settings(directory)
        self.archive: Final = directory / ARCHIVE_FILE

    @cached_property
    def seal(self) -> Seal:
        """What opens and closes the archive's secrets."""
        return open_seal(self.archive, read_secret(self.settings.passphrase))

    @cached_property
    def minter(self) -> IdevIdMinter:
        """What makes IDevIDs."""
        return IdevIdMinter(self.idevid_chain[0], self._key(self.settings.keys.issuer))

    @cached_property
    def manifest_key(self) -> PrivateKey:
        """What signs manifests and labels."""
        return self._key(self.settings.keys.manifest_signer)

    @cached_property
    def voucher_key(self) -> PrivateKey:
        """What signs vouchers."""
        return self._key(self.settings.keys.voucher_signer)

    @cached_property
    def anchor(self) -> x509.Certificate:
        """The trust anchor of IDevIDs."""
        return self._certificates(IDEVID_ANCHOR_FILE)[0]

    @cached_property
    def voucher_anchor(self) -> x509.Certificate:
        """The trust anchor of vouchers."""
        return self._certificates(VOUCHER_ANCHOR_FILE)[0]

    @cached_property
    def authority(self) -> str:
        """The name of the anchor (`homeport.pki.authority_id`)."""
        return authority_id(self.anchor)

    @cached_property
    def idevid_chain(self) -> Sequence[x509.Certificate]:
        """The issuer of IDevIDs and what is between it and the anchor; just the anchor if it is."""
        return self._certificates(IDEVID_CHAIN_FILE)

    @cached_property
    def manifest_x5c(self) -> Sequence[bytes]:
        """The manifest signer's chain, DER, leaf first."""
        return [der_of(each) for each in self._certificates(MANIFEST_SIGNER_FILE)]

    @cached_property
    def voucher_x5c(self) -> Sequence[bytes]:
        """The voucher signer's chain, DER, leaf first."""
        return [der_of(each) for each in self._certificates(VOUCHER_SIGNER_FILE)]

    @cached_property
    def platform_anchors(self) -> Sequence[x509.Certificate]:
        """The platform's trust anchors; FILE_MISSING tells how to supply them."""
        try:
            return self._certificates(PLATFORM_ANCHORS_FILE)
        except HomeportError as error:
            if error.code is not Code.FILE_MISSING:
                raise
            detail = f"{error.detail}: the platform's trust anchors, which devices get at birth"
            raise HomeportError(Code.FILE_MISSING, detail) from None

    def _certificates(self, name: str) -> Sequence[x509.Certificate]:
        path = self.directory / name
        try:
            return load_bundle(path.read_bytes())
        except OSError:
            raise HomeportError(Code.FILE_MISSING, str(path)) from None

    def _key(self, uri: str) -> PrivateKey:
        # The archive knows the passphrase and says so plainly; a key file cannot.
        _ = self.seal
        return open_key(in_directory(uri, self.directory, self.settings.passphrase))
