# SPDX-License-Identifier: Apache-2.0
"""What `factory init` decided, in `factory.toml`, and the names of the files beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeport.settings import load

FACTORY_FILE: Final = "factory.toml"
ARCHIVE_FILE: Final = "archive.jsonl"
IDEVID_ANCHOR_FILE: Final = "idevid-anchor.pem"
IDEVID_CHAIN_FILE: Final = "idevid-issuer.pem"
MANIFEST_SIGNER_FILE: Final = "manifest-signer.pem"
VOUCHER_ANCHOR_FILE: Final = "voucher-anchor.pem"
VOUCHER_SIGNER_FILE: Final = "voucher-signer.pem"
PLATFORM_ANCHORS_FILE: Final = "platform-anchors.pem"
PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105  (the name of its file)
KEYS_FOLDER: Final = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSettings:
    """The platform that devices know from birth."""

    name: str
    """Host name that the platform's certificates must carry; devices pin it."""
    url: str
    """The manufacturer's default address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """Where the factory's keys live. Relative `file:` URIs are below the factory's directory."""

    issuer: str
    """Key of the issuer of IDevIDs."""
    manifest_signer: str
    """Key that signs manifests and labels."""
    voucher_signer: str
    """Key that signs vouchers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorySettings:
    """All of `factory.toml`."""

    name: str
    """Name of the factory, in its certificates and manifests."""
    label_page: str
    """https URL that labels lead a phone's own camera to."""
    passphrase: Path = Path(PASSPHRASE_FILE)
    """File with the passphrase for keys in files and for the archive."""
    platform: PlatformSettings
    """The platform that devices know from birth."""
    keys: KeySettings
    """Where the factory's keys live."""


def read_settings(directory: Path) -> FactorySettings:
    """Read `factory.toml`; raise FILE_MISSING, SETTING_WRONG."""
    return load(FactorySettings, directory / FACTORY_FILE)


def write_settings(settings: FactorySettings) -> str:
    """Return the settings as TOML."""
    return f"""\
name = {toml_text(settings.name)}
label_page = {toml_text(settings.label_page)}
passphrase = {toml_text(str(settings.passphrase))}

[platform]
name = {toml_text(settings.platform.name)}
url = {toml_text(settings.platform.url)}

[keys]
issuer = {toml_text(settings.keys.issuer)}
manifest_signer = {toml_text(settings.keys.manifest_signer)}
voucher_signer = {toml_text(settings.keys.voucher_signer)}
"""


def toml_text(value: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's, but DEL must be escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
