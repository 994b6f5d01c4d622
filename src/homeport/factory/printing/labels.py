# SPDX-License-Identifier: Apache-2.0
"""Labels of minted devices: signed when they are printed, as text and as QR code (SVG)."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec
import segno

from homeport.artefacts.claim_code import show_claim_code
from homeport.artefacts.dpp_key import point_of_spki
from homeport.artefacts.label import Label, sign_label
from homeport.errors import Code, HomeportError
from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import DeviceRecord, file_name
from homeport.factory.archive.sealing import DeviceSecrets
from homeport.factory.factory import Factory

QUIET_ZONE: Final = 4
"""Modules of white around the code (ISO/IEC 18004 section 6.3.8)."""
MODULE_MIN_MM: Final = 0.33
"""What phones of the last ten years read from a hand's distance, scratched, in bad light."""
CODE_MM: Final = 25.0
"""Side of the printed code with its quiet zone."""
ERROR_LEVEL: Final = "M"
"""15 % of the code may be lost: labels on machines get dirty."""


@dataclass(frozen=True, slots=True)
class PrintableLabel:
    """A label with its QR code, and how small that may be printed."""

    label: Label
    qr: segno.QRCode

    @property
    def version(self) -> int:
        """The QR code's version: it has 17 + 4 times as many modules a side."""
        return int(self.qr.version)

    @property
    def modules(self) -> int:
        """Modules a side, with the quiet zone."""
        return 17 + 4 * self.version + 2 * QUIET_ZONE

    @property
    def smallest_mm(self) -> float:
        """The smallest side, with the quiet zone."""
        return round(self.modules * MODULE_MIN_MM, 1)


def printable(label: Label) -> PrintableLabel:
    """Draw the label's QR code."""
    return PrintableLabel(
        label, segno.make_qr(label.encode(), error=ERROR_LEVEL, boost_error=False)
    )


def labels_of(
    factory: Factory, serial_numbers: Sequence[str], since: datetime | None
) -> Iterator[PrintableLabel]:
    """Yield the labels of devices: of those named (none: all) and minted since, in order.

    Raise DEVICE_UNKNOWN at the end if one that was named was not minted here.
    """
    wanted = set(serial_numbers)
    earliest = int(since.timestamp()) if since else 0
    for record in read_archive(factory.archive):
        if not isinstance(record, DeviceRecord) or record.at < earliest:
            continue
        if serial_numbers and record.serial_number not in wanted:
            continue
        wanted.discard(record.serial_number)
        secrets = factory.seal.open(record.sealed, record.serial_number)
        yield printable(label_of(factory, record, secrets))
    if wanted:
        missing = ", ".join(sorted(wanted)[:10])
        raise HomeportError(Code.DEVICE_UNKNOWN, f"not minted here: {missing}")


def label_of(factory: Factory, record: DeviceRecord, secrets: DeviceSecrets) -> Label:
    """Return the device's label, signed by the factory. Raise KEY_STORE_UNAVAILABLE."""
    unsigned = Label(
        page=factory.settings.label_page,
        serial_number=record.serial_number,
        model=record.model,
        claim_code=secrets.claim_code,
        claim_code_hash=bytes.fromhex(record.claim_code_hash),
        dpp_point=point_of_spki(record.dpp_key),
        idevid_hash=record.idevid_hash,
        signature=b"",
    )
    return sign_label(unsigned, factory.manifest_key)


def write_label(label: Label) -> bytes:
    """Return what a printer, or a tool of the line, needs of a label, as JSON. Secret."""
    content = {
        "serial_number": label.serial_number,
        "model": label.model,
        "url": label.encode(),
        "nfc_url": label.without_claim_code().encode(),
        "dpp_uri": label.dpp_uri,
        "claim_code": show_claim_code(label.claim_code or ""),
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def write_svgs(
    labels: Iterable[PrintableLabel], folder: Path, report: Callable[[int], None]
) -> int:
    """Write each code as `<serial number>.svg`, mode 0600; return how many.

    Raise ALREADY_EXISTS rather than replace one.
    """
    count = 0
    for label in labels:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # none for no label
        path = folder / f"{file_name(label.label.serial_number)}.svg"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise HomeportError(Code.ALREADY_EXISTS, str(path)) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(svg_of(label))
        count += 1
        report(1)
    return count


def svg_of(label: PrintableLabel) -> bytes:
    """Return the QR code as SVG of 25 mm, or as much more as it needs."""
    side = max(CODE_MM, label.smallest_mm)
    out = BytesIO()
    label.qr.save(
        out,
        kind="svg",
        border=QUIET_ZONE,
        scale=round(side / label.modules, 4),
        unit="mm",
        title=f"{label.label.model} {label.label.serial_number}",
        xmldecl=False,
    )
    return out.getvalue()
