# SPDX-License-Identifier: Apache-2.0
"""`homeport factory labels`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from homeport.errors import Code, HomeportError
from homeport.factory.cli.output import (
    Directory,
    Json,
    Since,
    counted,
    instant,
    print_json,
    progress,
    say,
    warn,
)
from homeport.factory.factory import Factory
from homeport.factory.printing.labels import CODE_MM, PrintableLabel, labels_of, write_svgs
from homeport.factory.printing.sheets import SHEETS, write_sheets


class _Largest:
    """Passes labels through and remembers the largest code."""

    version = 0
    smallest_mm = 0.0

    def watch(self, labels: Iterator[PrintableLabel]) -> Iterator[PrintableLabel]:
        for label in labels:
            self.version = max(self.version, label.version)
            self.smallest_mm = max(self.smallest_mm, label.smallest_mm)
            yield label


def _check_places(svg: Path | None, pdf: Path | None) -> None:
    """Raise ALREADY_EXISTS before anything is drawn: half of what was asked helps nobody."""
    if pdf is not None and pdf.exists():
        raise HomeportError(Code.ALREADY_EXISTS, str(pdf))
    if svg is not None and svg.exists() and not svg.is_dir():
        raise HomeportError(Code.ALREADY_EXISTS, f"{svg} is no folder")


def labels(
    directory: Directory,
    svg: Annotated[Path | None, typer.Option(help="Folder for one QR code a device.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="PDF of sticker sheets; must not exist.")] = None,
    sheet: Annotated[str, typer.Option(help=f"Sheet: {', '.join(SHEETS)}.")] = "a4-21",
    serial_number: Annotated[
        list[str] | None, typer.Option(help="Only this device; repeat it.")
    ] = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Print labels: QR code, model, serial number and claim code."""
    if svg is None and pdf is None:
        raise typer.BadParameter("give --svg, --pdf or both")
    if sheet not in SHEETS:
        raise typer.BadParameter(f"no such sheet; there are {', '.join(SHEETS)}")
    factory = Factory(directory)
    _check_places(svg, pdf)
    largest = _Largest()
    count, files = 0, []
    with progress("Drawing", None, quiet=as_json) as report:
        if svg is not None:
            chosen = labels_of(factory, serial_number or (), instant(since))
            count = write_svgs(largest.watch(chosen), svg, report)
            files.append(svg)
        if pdf is not None:
            chosen = labels_of(factory, serial_number or (), instant(since))
            count, sheets = write_sheets(largest.watch(chosen), pdf, SHEETS[sheet], report)
            files += sheets
    if not count:
        raise HomeportError(Code.NOT_FOUND, "no device was minted yet in that time")
    if as_json:
        facts = {"labels": count, "files": [str(path) for path in files]}
        print_json(facts | {"version": largest.version, "smallest_mm": largest.smallest_mm})
        return
    say(f"{counted(count, 'label')} in {', '.join(map(str, files))}.")
    say(f"QR version {largest.version}, readable from {largest.smallest_mm} mm (25 mm is printed).")
    if largest.smallest_mm > CODE_MM:
        warn("Some codes are larger than 25 mm: shorten the label's page, model or serial number.")
    warn("They carry claim codes: whoever reads one first may claim the device. Guard the files.")
