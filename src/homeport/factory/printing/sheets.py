# SPDX-License-Identifier: Apache-2.0
"""Sheets of labels as PDF, for office printers and bought sticker sheets.

Codes are drawn as vectors, so that no printer blurs them. What holds claim codes is written with
mode 0600. A file ends after 200 pages and the next begins, so that memory stays bounded whatever
the number of labels.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from homeport.artefacts.claim_code import show_claim_code
from homeport.errors import Code, HomeportError
from homeport.factory.printing.labels import CODE_MM, QUIET_ZONE, PrintableLabel

PAGES_PER_FILE: Final = 200
"""4,200 labels, 15 MB of memory."""
TEXT_MM: Final = 1.0
"""Between code and text, and between text and the label's edge."""
FONT_ENCODING: Final = "cp1252"
"""Characters of the fonts that every PDF reader has (ISO 32000-1 section 9.6.2.2): those of Western
Europe. A font for all scripts would take 20 MB for two lines of text that the QR code holds too."""
FONT_SIZE: Final = 8.0
"""Points; a claim code of which a person copies twenty characters."""
FONT_SIZE_MIN: Final = 3.5
"""Points; below it nobody reads a serial number."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of stickers, in mm."""

    page: tuple[float, float]
    """Points."""
    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    across: float
    """From the left edge of one label to that of the next."""
    down: float
    """From the top edge of one label to that of the next."""


SHEETS: Final[Mapping[str, Sheet]] = {
    # The usual sticker sheets: Avery L7160, L7159, and 5163 in North America.
    "a4-21": Sheet(A4, 3, 7, 63.5, 38.1, 7.2, 15.1, 66.0, 38.1),
    "a4-24": Sheet(A4, 3, 8, 63.5, 33.9, 6.4, 12.9, 66.7, 33.9),
    "letter-10": Sheet(LETTER, 2, 5, 101.6, 50.8, 4.0, 12.7, 106.4, 50.8),
}


def write_sheets(
    labels: Iterable[PrintableLabel], path: Path, sheet: Sheet, report: Callable[[int], None]
) -> tuple[int, list[Path]]:
    """Write the labels to `path`, and `path`-2 ... if they fill it; return number and files.

    Raise ALREADY_EXISTS, SETTING_WRONG if a code needs more than 25 mm or a text does not fit.
    """
    written: list[Path] = []
    count = 0

    def counted(drawn: int) -> None:
        nonlocal count
        count += drawn
        report(drawn)

    pages = _batches(labels, sheet.columns * sheet.rows)
    for first in pages:
        number = len(written) + 1
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        written.append(target)
        batches = chain([first], islice(pages, PAGES_PER_FILE - 1))
        _write_file(target, sheet, batches, counted)
    return count, written


def _write_file(
    path: Path, sheet: Sheet, pages: Iterable[list[PrintableLabel]], report: Callable[[int], None]
) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise HomeportError(Code.ALREADY_EXISTS, str(path)) from None
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            canvas = Canvas(file, pagesize=sheet.page, pageCompression=1)
            canvas.setTitle("Device labels")
            for batch in pages:
                _draw_page(canvas, sheet, batch, report)
            canvas.save()
    except BaseException:
        # Half a file would be printed by somebody.
        path.unlink()
        raise


def _draw_page(
    canvas: Canvas, sheet: Sheet, labels: list[PrintableLabel], report: Callable[[int], None]
) -> None:
    for place, label in enumerate(labels):
        row, column = divmod(place, sheet.columns)
        left = (sheet.left + column * sheet.across) * mm
        top = sheet.page[1] - (sheet.top + row * sheet.down) * mm
        middle = top - sheet.height / 2 * mm
        _draw_code(canvas, label, left, middle + CODE_MM / 2 * mm)
        room = (sheet.width - CODE_MM - 2 * TEXT_MM) * mm
        _draw_text(canvas, label, (left + (CODE_MM + TEXT_MM) * mm, middle), room)
    canvas.showPage()
    report(len(labels))


def _draw_code(canvas: Canvas, label: PrintableLabel, left: float, top: float) -> None:
    if label.smallest_mm > CODE_MM:
        serial_number, size = label.label.serial_number, label.smallest_mm
        detail = f"the label of {serial_number} needs {size} mm: print it as SVG"
        raise HomeportError(Code.SETTING_WRONG, detail)
    matrix = label.qr.matrix
    module = CODE_MM * mm / label.modules
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for begin, end in _runs(modules):
            path.rect(
                left + (QUIET_ZONE + begin) * module,
                top - (QUIET_ZONE + row + 1) * module,
                (end - begin) * module,
                module,
            )
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(modules: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where dark modules begin and end in a row."""
    begin = None
    for place, dark in enumerate((*modules, 0)):
        if dark and begin is None:
            begin = place
        elif not dark and begin is not None:
            yield begin, place
            begin = None


def _draw_text(canvas: Canvas, label: PrintableLabel, at: tuple[float, float], room: float) -> None:
    groups = show_claim_code(label.label.claim_code or "").split("-")
    lines = [
        ("Helvetica-Bold", label.label.model),
        ("Helvetica", label.label.serial_number),
        ("Helvetica", ""),
        ("Helvetica", "Claim code"),
        ("Courier-Bold", "-".join(groups[:2]) + "-"),
        ("Courier-Bold", "-".join(groups[2:])),
    ]
    left, middle = at
    height = FONT_SIZE * 1.25
    top = middle + height * len(lines) / 2
    for number, (font, text) in enumerate(lines, 1):
        canvas.setFont(font, _size(label, text, font, room))
        canvas.drawString(left, top - number * height, text)


def _size(label: PrintableLabel, text: str, font: str, room: float) -> float:
    _check_glyphs(text)
    width = stringWidth(text, font, FONT_SIZE)
    size = FONT_SIZE * min(1.0, room / width if width else 1.0)
    if size < FONT_SIZE_MIN:
        detail = (
            f"{text!r} of {label.label.serial_number} does not fit the label: take a larger sheet"
        )
        raise HomeportError(Code.SETTING_WRONG, detail)
    return size


def _check_glyphs(text: str) -> None:
    """Refuse what the printer's own fonts would print as boxes."""
    try:
        text.encode(FONT_ENCODING)
    except UnicodeEncodeError as error:
        absent = text[error.start : error.end]
        detail = f"the PDF's fonts have no {absent!r} for {text!r}: print the codes as SVG"
        raise HomeportError(Code.SETTING_WRONG, detail) from None


def _batches(labels: Iterable[PrintableLabel], size: int) -> Iterator[list[PrintableLabel]]:
    rest = iter(labels)
    while batch := list(islice(rest, size)):
        yield batch
