# SPDX-License-Identifier: Apache-2.0
"""Hand over: the archive's devices as one signed manifest, streamed."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from homeport.artefacts.manifest import VERSION, ManifestHeader, ManifestLine, ManifestWriter
from homeport.errors import Code, HomeportError
from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import DeviceRecord
from homeport.factory.factory import Factory

REPORT_EVERY: Final = 512
"""Devices between two calls of `report`."""


def hand_over(
    factory: Factory,
    path: Path,
    now: datetime,
    since: datetime | None,
    report: Callable[[int], None],
) -> int:
    """Write a manifest of all devices (or those minted since) to a new file; return how many.

    Raise ALREADY_EXISTS if the file is there, NOT_FOUND if there are no devices.
    """
    if path.exists():
        raise HomeportError(Code.ALREADY_EXISTS, str(path))
    earliest = int(since.timestamp()) if since else 0
    partial = path.with_name(f".{path.name}.partial")
    try:
        count = _write(factory, partial, now, earliest, report)
        if not count:
            raise HomeportError(Code.NOT_FOUND, "no device was minted yet in that time")
        # Not by a link, which would never replace: sticks that travel have no links.
        partial.rename(path)
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            partial.unlink()
    return count


def manifest_line(record: DeviceRecord) -> ManifestLine:
    """Return what a manifest says of a device: nothing of its secrets but hashes."""
    return ManifestLine(
        serial_number=record.serial_number,
        model=record.model,
        hardware_identity=record.hardware_identity,
        idevid=record.idevid,
        dpp_key=record.dpp_key,
        dpp_key_hash=hashlib.sha256(record.dpp_key).hexdigest(),
        claim_code_hash=record.claim_code_hash,
    )


def _write(
    factory: Factory, path: Path, now: datetime, earliest: int, report: Callable[[int], None]
) -> int:
    header = ManifestHeader(
        manifest=VERSION,
        authority=factory.authority,
        factory=factory.settings.name,
        created=int(now.timestamp()),
    )
    with path.open("wb") as file:
        writer = ManifestWriter(file, header)
        for record in read_archive(factory.archive):
            if isinstance(record, DeviceRecord) and record.at >= earliest:
                writer.add(manifest_line(record))
                if writer.count % REPORT_EVERY == 0:
                    report(REPORT_EVERY)
        report(writer.count % REPORT_EVERY)
        writer.finish(factory.manifest_key, factory.manifest_x5c)
        file.flush()
        os.fsync(file.fileno())
    return writer.count
