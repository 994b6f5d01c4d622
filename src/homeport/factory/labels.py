# SPDX-License-Identifier: Apache-2.0
"""Labels of minted devices: signed when they are printed, as text and as QR code (SVG)."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import msgspec
import segno

from homeport.artefacts.claim_code import show_claim_code
from homeport.artefacts.dpp_key import point_of_spki
from homeport.artefacts.label import Label, sign_label
from homeport.factory.factory import Factory
from homeport.factory.records import DeviceRecord
from homeport.factory.sealing import DeviceSecrets

QUIET_ZONE: Final = 4
"""Modules of white around the code (ISO/IEC 18004 section 6.3.8)."""
MODULE_MIN_MM: Final = 0.33
"""What phones of the last ten years read from a hand's distance, scratched, in bad light."""
CODE_MM: Final = 25.0
"""Side of the printed code with its quiet zone."""
ERROR_LEVEL: Final = "M"
"""15 % of the code may be lost: labels on machines get dirty."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code and how small it may be printed."""

    qr: segno.QRCode
    version: int
    smallest_mm: float
    """Side with quiet zone, at 0.33 mm a module."""


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


def code_of(label: Label) -> Code:
    """Return the label's QR code."""
    qr = segno.make_qr(label.encode(), error=ERROR_LEVEL, boost_error=False)
    version = int(qr.version)
    return Code(qr, version, round((17 + 4 * version + 2 * QUIET_ZONE) * MODULE_MIN_MM, 1))


def svg_of(label: Label) -> bytes:
    """Return the QR code as SVG of 25 mm, or as much more as it needs; black on transparent."""
    code = code_of(label)
    side = max(CODE_MM, code.smallest_mm)
    modules = 17 + 4 * code.version + 2 * QUIET_ZONE
    out = BytesIO()
    code.qr.save(
        out, kind="svg", border=QUIET_ZONE, scale=round(side / modules, 4), unit="mm",
        title=f"{label.model} {label.serial_number}", xmldecl=False,
    )  # fmt: skip
    return out.getvalue()
