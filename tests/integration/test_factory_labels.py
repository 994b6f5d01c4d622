# SPDX-License-Identifier: Apache-2.0
"""Printed labels: sheets with their text, and codes that another program reads."""

import shutil
import stat
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from fakes.factory_line import line, make_line
from homeport.artefacts.claim_code import show_claim_code
from homeport.artefacts.label import parse_label, verify_label
from homeport.factory.printing import sheets
from homeport.factory.printing.labels import CODE_MM, labels_of

__all__ = ["line"]


def require(*programs: str) -> None:
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt install poppler-utils zbar-tools)")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_sheets_have_every_label_once_with_its_text(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 25)
    pdf = tmp_path / "labels.pdf"
    printed = line.run("labels", "--pdf", pdf)
    assert (printed["labels"], printed["files"]) == (25, [str(pdf)])
    assert mode(pdf) == 0o600
    pages = [page.extract_text() for page in PdfReader(pdf).pages]
    assert [text.count("Claim code") for text in pages] == [21, 4]
    for record in line.devices():
        code = line.factory.seal.open(record.sealed, record.serial_number).claim_code
        first, second = show_claim_code(code)[:12], show_claim_code(code)[12:]
        found = [text for text in pages if record.serial_number in text]
        assert len(found) == 1
        assert first in found[0]
        assert second in found[0]


def test_no_labels_are_an_error_and_no_files(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 1)
    places = ("--svg", tmp_path / "codes", "--pdf", tmp_path / "l.pdf")
    error = line.refused("labels", *places, "--since", "2999-01-01")
    assert error["code"] == "not-found"
    assert not (tmp_path / "codes").exists()
    assert not (tmp_path / "l.pdf").exists()


def test_what_is_there_is_seen_before_anything_is_drawn(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 1)
    (tmp_path / "l.pdf").write_text("another")
    places = ("--svg", tmp_path / "codes", "--pdf", tmp_path / "l.pdf")
    assert line.refused("labels", *places)["code"] == "already-exists"
    assert not (tmp_path / "codes").exists()
    assert line.refused("labels", "--svg", tmp_path / "l.pdf")["code"] == "already-exists"


@pytest.mark.parametrize(("model", "absent"), [("泵-7", "泵"), ("मोटर", "मोटर")])
def test_what_the_fonts_of_a_pdf_lack_is_refused_and_named(line, tmp_path, model, absent):
    line.run("mint", "--model", model, "--count", 1, "--serial-prefix", "P-")
    error = line.refused("labels", "--pdf", tmp_path / "l.pdf")
    assert error["code"] == "setting-wrong"
    assert absent in error["detail"]
    assert not (tmp_path / "l.pdf").exists()
    assert line.run("labels", "--svg", tmp_path / "codes")["labels"] == 1


def test_letters_of_western_europe_are_printed(line, tmp_path):
    line.run("mint", "--model", "Zähler Nº 7", "--count", 1, "--serial-prefix", "Z-")
    line.run("labels", "--pdf", tmp_path / "l.pdf")
    assert "Zähler Nº 7" in PdfReader(tmp_path / "l.pdf").pages[0].extract_text()


def test_many_labels_fill_several_files(line, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "PAGES_PER_FILE", 1)
    line.run("mint", "--model", "EX-100", "--count", 11)
    printed = line.run("labels", "--pdf", tmp_path / "l.pdf", "--sheet", "letter-10")
    assert [Path(path).name for path in printed["files"]] == ["l.pdf", "l-2.pdf"]
    assert [len(PdfReader(path).pages) for path in printed["files"]] == [1, 1]


def test_a_reader_of_codes_reads_from_the_printed_sheet_what_was_signed(line, tmp_path):
    require("pdftoppm", "zbarimg")
    line.run("mint", "--model", "EX-100", "--count", 3)
    line.run("labels", "--pdf", tmp_path / "l.pdf")
    # 300 dots an inch: an office printer, and less than a phone's camera sees.
    subprocess.run(
        ["pdftoppm", "-r", "300", "-gray", "-singlefile", tmp_path / "l.pdf", tmp_path / "page"],
        check=True, timeout=60,
    )  # fmt: skip
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "--nodbus", tmp_path / "page.pgm"],
        check=True, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    labels = [parse_label(text) for text in read.stdout.split()]
    assert sorted(label.serial_number for label in labels) == line.serial_numbers()
    for label in labels:
        verify_label(label, line.factory.manifest_key.public_key())


def test_svgs_are_25_mm_and_secret(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 2)
    printed = line.run("labels", "--svg", tmp_path / "svg", "--serial-number", "EX-100-000002")
    [path] = (tmp_path / "svg").iterdir()
    assert (path.name, mode(path), printed["labels"]) == ("EX-100-000002.svg", 0o600, 1)
    root = ET.fromstring(path.read_bytes())  # noqa: S314  (our own)
    assert root.attrib["width"].endswith("mm")
    assert float(root.attrib["width"].removesuffix("mm")) == pytest.approx(25, abs=0.05)
    assert printed["smallest_mm"] <= CODE_MM
    again = line.refused("labels", "--svg", tmp_path / "svg")
    assert again["code"] == "already-exists"


def test_a_code_that_needs_more_than_25_mm_is_not_squeezed(tmp_path):
    line = make_line(tmp_path)
    model = "A-model-with-a-name-that-goes-on-and-on-until-nobody-reads-it"
    line.run("mint", "--model", model, "--count", 1, "--serial-prefix", "X" * 58)
    [label] = labels_of(line.factory, (), None)
    assert label.smallest_mm > CODE_MM
    error = line.refused("labels", "--pdf", tmp_path / "l.pdf")
    assert error["code"] == "setting-wrong"
    assert not (tmp_path / "l.pdf").exists()
    line.run("labels", "--svg", tmp_path / "svg")
    [path] = (tmp_path / "svg").iterdir()
    width = ET.fromstring(path.read_bytes()).attrib["width"]  # noqa: S314  (our own)
    assert float(width.removesuffix("mm")) == pytest.approx(label.smallest_mm, abs=0.1)


def test_a_device_of_others_gets_no_label(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 1)
    error = line.refused("labels", "--svg", tmp_path / "svg", "--serial-number", "EX-9")
    assert error["code"] == "device-unknown"
