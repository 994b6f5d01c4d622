# SPDX-License-Identifier: Apache-2.0
"""Device stores: one directory a device, ready to be copied to it. docs/operate/factory.md.

A store is made of the archive's record, so it can be made again. It appears under its name only
when its files are on the disk.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from homeport.errors import Code, HomeportError
from homeport.factory.archive.records import DeviceRecord, file_name
from homeport.factory.factory import Factory
from homeport.factory.printing.labels import label_of, write_label
from homeport.factory.settings import toml_text
from homeport.files import sync_directory
from homeport.pki.certificates import parse_certificate, pem_of

BATCH: Final = 256
"""Stores for each sync of the disk."""
SECRET_FILES: Final = frozenset({"idevid.key", "dpp.key", "label.json"})


def write_stores(
    factory: Factory,
    records: Iterable[DeviceRecord],
    directory: Path,
    report: Callable[[int], None],
) -> int:
    """Write the stores that are not there yet below `directory`; return how many."""
    prepare(directory)
    count = 0
    for batch in _batches(records):
        missing = [
            each for each in batch if not (directory / file_name(each.serial_number)).exists()
        ]
        try:
            _write_batch(factory, missing, directory)
        except BaseException:
            for record in missing:
                shutil.rmtree(_partial(directory, record), ignore_errors=True)
            raise
        count += len(missing)
        report(len(batch))
    return count


def prepare(directory: Path) -> None:
    """Make the directory if it is not there; raise SETTING_WRONG if stores cannot go there."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        detail = f"{directory}: no directory for device stores: {error.strerror}"
        raise HomeportError(Code.SETTING_WRONG, detail) from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise HomeportError(Code.SETTING_WRONG, f"{directory}: not to be written to")


def _write_batch(factory: Factory, records: Sequence[DeviceRecord], directory: Path) -> None:
    for record in records:
        _write(factory, record, _partial(directory, record))
    # One sync for all of them: their contents are on the disk before their names are.
    os.sync()
    for record in records:
        _partial(directory, record).rename(directory / file_name(record.serial_number))
    sync_directory(directory)


def _partial(directory: Path, record: DeviceRecord) -> Path:
    return directory / f".{file_name(record.serial_number)}.partial"


def _write(factory: Factory, record: DeviceRecord, partial: Path) -> None:
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(mode=0o700)
    for name, content in _files(factory, record).items():
        mode = 0o600 if name in SECRET_FILES else 0o644
        # Made with its mode, so that nobody reads a key in the moment before a chmod.
        descriptor = os.open(partial / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def _files(factory: Factory, record: DeviceRecord) -> Mapping[str, bytes]:
    secrets = factory.seal.open(record.sealed, record.serial_number)
    issuers = [each for each in factory.idevid_chain if each != factory.anchor]
    files = {
        "device.toml": _device_toml(factory, record).encode(),
        "idevid.pem": pem_of(parse_certificate(record.idevid), *issuers),
        "platform.pem": pem_of(*factory.platform_anchors),
        "vouchers.pem": pem_of(factory.voucher_anchor),
        "dpp.key": _pem(secrets.dpp_key),
        "label.json": write_label(label_of(factory, record, secrets)),
    }
    if secrets.idevid_key is not None:
        files["idevid.key"] = _pem(secrets.idevid_key)
    return files


def _device_toml(factory: Factory, record: DeviceRecord) -> str:
    token, _, rest = record.idevid_key.partition(";object=")
    operational = f"{token}?{rest.partition('?')[2]}".rstrip("?") if token else "file:"
    platform = factory.settings.platform
    return f"""\
model = {toml_text(record.model)}
serial_number = {toml_text(record.serial_number)}
idevid_key = {toml_text(record.idevid_key or "file:idevid.key")}
operational_keys = {toml_text(operational)}

[platform]
name = {toml_text(platform.name)}
url = {toml_text(platform.url)}
"""


def _pem(pkcs8: bytes) -> bytes:
    key = load_der_private_key(pkcs8, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _batches(records: Iterable[DeviceRecord]) -> Iterator[list[DeviceRecord]]:
    rest = iter(records)
    while batch := list(islice(rest, BATCH)):
        yield batch
