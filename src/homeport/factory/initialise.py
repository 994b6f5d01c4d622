# SPDX-License-Identifier: Apache-2.0
"""Begin a factory: its keys, certificates, settings and empty archive.

Everything is made in a directory beside and appears under its name at once, so that there is a
whole factory or none. An existing one is never touched.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from cryptography import x509

from homeport.address import host_name, platform_url
from homeport.artefacts.signers import MANIFEST_SIGNER, VOUCHER_SIGNER
from homeport.errors import Code, HomeportError, MalformedError
from homeport.factory.archive.file import create_archive
from homeport.factory.certificates import make_issuer, make_root, make_signer
from homeport.factory.key_places import in_directory, in_token, is_token
from homeport.factory.settings import (
    ARCHIVE_FILE,
    FACTORY_FILE,
    IDEVID_ANCHOR_FILE,
    IDEVID_CHAIN_FILE,
    KEYS_FOLDER,
    MANIFEST_SIGNER_FILE,
    PASSPHRASE_FILE,
    PLATFORM_ANCHORS_FILE,
    VOUCHER_ANCHOR_FILE,
    VOUCHER_SIGNER_FILE,
    FactorySettings,
    KeySettings,
    PlatformSettings,
    write_settings,
)
from homeport.files import create_private_file
from homeport.keys import PrivateKey, delete_key, make_key, open_key, read_secret
from homeport.pki.authority import Issuer
from homeport.pki.certificates import pem_of

NAME_MAX: Final = 40
"""Characters of a factory's name: with what is added to it, it fits a common name of 64."""
PAGE_MAX: Final = 64
"""Characters of the label's URL: what is left in a QR code that prints at 25 mm."""
PASSPHRASE_BYTES: Final = 24
"""192 random bits: nobody types it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryPlan:
    """What `init` is asked for."""

    name: str
    label_page: str
    platform: PlatformSettings
    platform_anchors: Sequence[x509.Certificate] = ()
    token: str | None = None
    """PKCS#11 URI of the token for the factory's own keys; None: encrypted files."""
    passphrase: Path | None = None
    """File with the passphrase; None: one is made."""
    issuer_chain: Sequence[x509.Certificate] = ()
    """An existing CA: issuer first, its trust anchor last. None: one is made."""
    issuer_key: str | None = None


def initialise(directory: Path, plan: FactoryPlan, now: datetime) -> None:
    """Make a factory. Raise ALREADY_EXISTS, SETTING_WRONG, and what `make_key` raises."""
    _check(directory, plan)
    workplace = directory.absolute().with_name(f".{directory.name}.{secrets.token_hex(4)}")
    made: list[str] = []
    try:
        workplace.mkdir(parents=True, mode=0o700)
        _make(workplace, plan, now, made)
        # Replaces an empty directory, and fails on any other.
        workplace.rename(directory.absolute())
    except BaseException:
        for uri in made:
            with suppress(HomeportError):
                delete_key(uri)
        shutil.rmtree(workplace, ignore_errors=True)
        raise


def _check(directory: Path, plan: FactoryPlan) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise HomeportError(Code.ALREADY_EXISTS, f"{directory} is not empty")
    if not 0 < len(plan.name) <= NAME_MAX or not plan.name.isprintable():
        raise HomeportError(Code.SETTING_WRONG, f"a factory's name has 1 to {NAME_MAX} characters")
    page, platform = plan.label_page, plan.platform
    _check_address(f"the label's page {page!r}", lambda: platform_url(page, cut_path=True))
    if len(plan.label_page) > PAGE_MAX:
        raise HomeportError(Code.SETTING_WRONG, f"the label's page is longer than {PAGE_MAX}")
    _check_address(f"the platform's name {platform.name!r}", lambda: host_name(platform.name))
    _check_address(f"the platform's URL {platform.url!r}", lambda: platform_url(platform.url))
    if plan.passphrase and not plan.passphrase.is_file():
        raise HomeportError(Code.FILE_MISSING, f"{plan.passphrase}: the passphrase's file")
    if bool(plan.issuer_chain) != bool(plan.issuer_key):
        raise HomeportError(Code.SETTING_WRONG, "an existing CA needs its chain and its key")


def _check_address(what: str, check: Callable[[], str]) -> None:
    """What is wrong here would be burnt into devices for life."""
    try:
        check()
    except MalformedError as error:
        raise HomeportError(Code.SETTING_WRONG, f"{what}: {error.detail}") from None


class _Keys:
    """Makes the factory's keys, in the token or in encrypted files, and remembers them."""

    def __init__(
        self, directory: Path, passphrase: Path, token: str | None, made: list[str]
    ) -> None:
        self._directory = directory
        self._passphrase = passphrase
        self._token = token
        self._made = made

    def make(self, label: str) -> tuple[str, PrivateKey]:
        """Return the URI for `factory.toml`, and the key."""
        if self._token is not None:
            uri = in_token(self._token, label)
            key = make_key(uri)
            self._made.append(uri)
            return uri, key
        uri = f"file:{KEYS_FOLDER}/{label}.pem"
        return uri, make_key(in_directory(uri, self._directory, self._passphrase))


def _make(directory: Path, plan: FactoryPlan, now: datetime, made: list[str]) -> None:
    (directory / KEYS_FOLDER).mkdir(mode=0o700)
    passphrase = plan.passphrase or directory / PASSPHRASE_FILE
    if plan.passphrase is None:
        content = secrets.token_urlsafe(PASSPHRASE_BYTES) + "\n"
        create_private_file(passphrase, content.encode())
    keys = _Keys(directory, passphrase, plan.token, made)
    settings = FactorySettings(
        name=plan.name,
        label_page=plan.label_page,
        passphrase=plan.passphrase.absolute() if plan.passphrase else Path(PASSPHRASE_FILE),
        platform=plan.platform,
        keys=_make_authorities(directory, plan, keys, now),
    )
    if plan.platform_anchors:
        _write(directory / PLATFORM_ANCHORS_FILE, pem_of(*plan.platform_anchors))
    create_archive(directory / ARCHIVE_FILE, read_secret(passphrase))
    _write(directory / FACTORY_FILE, write_settings(settings).encode())


def _make_authorities(
    directory: Path, plan: FactoryPlan, keys: _Keys, now: datetime
) -> KeySettings:
    issuer_uri, issuer, chain = _idevid_issuer(plan, keys, now)
    _write(directory / IDEVID_ANCHOR_FILE, pem_of(chain[-1]))
    between = chain[:-1] or chain
    _write(directory / IDEVID_CHAIN_FILE, pem_of(*between))
    manifest_uri, key = keys.make("manifest-signer")
    name = f"{plan.name} manifest signer"
    signer = make_signer(issuer, key.public_key(), name, MANIFEST_SIGNER, now)
    _write(directory / MANIFEST_SIGNER_FILE, pem_of(signer, *chain[:-1]))
    voucher_uri = _make_voucher_authority(directory, plan.name, keys, now)
    return KeySettings(issuer=issuer_uri, manifest_signer=manifest_uri, voucher_signer=voucher_uri)


def _idevid_issuer(
    plan: FactoryPlan, keys: _Keys, now: datetime
) -> tuple[str, Issuer, Sequence[x509.Certificate]]:
    """Return the issuer's key URI, the issuer, and its chain up to the anchor."""
    if plan.issuer_key is not None:
        uri = plan.issuer_key if is_token(plan.issuer_key) else _absolute(plan.issuer_key)
        return uri, Issuer(plan.issuer_chain[0], open_key(uri)), plan.issuer_chain
    _, root_key = keys.make("idevid-root")
    uri, key = keys.make("idevid-issuer")
    root = make_root(root_key, f"{plan.name} IDevID root", now)
    name = f"{plan.name} IDevID issuer"
    issuer = make_issuer(Issuer(root, root_key), key.public_key(), name, now)
    return uri, Issuer(issuer, key), [issuer, root]


def _make_voucher_authority(directory: Path, name: str, keys: _Keys, now: datetime) -> str:
    _, root_key = keys.make("voucher-root")
    root = make_root(root_key, f"{name} voucher root", now)
    uri, key = keys.make("voucher-signer")
    issuer = Issuer(root, root_key)
    signer = make_signer(issuer, key.public_key(), f"{name} voucher signer", VOUCHER_SIGNER, now)
    _write(directory / VOUCHER_ANCHOR_FILE, pem_of(root))
    _write(directory / VOUCHER_SIGNER_FILE, pem_of(signer))
    return uri


def _absolute(uri: str) -> str:
    path, question, query = uri.removeprefix("file:").partition("?")
    return f"file:{quote(str(Path(unquote(path)).absolute()))}{question}{query}"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
