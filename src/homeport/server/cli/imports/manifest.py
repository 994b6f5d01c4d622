# SPDX-License-Identifier: Apache-2.0
"""`homeport manifest import`."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from cryptography import x509
from rich.progress import wrap_file

from homeport.artefacts.manifest import ManifestReader
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import authority_id, fingerprint, load_bundle, parse_certificate
from homeport.provisioning.imports.manifest import ManifestReport, import_manifest
from homeport.server.cli.files import read_file
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    counted,
    err,
    now,
    print_json,
    print_table,
    read,
    say,
    settings_of,
)
from homeport.server.opening import open_registry
from homeport.server.settings import ServerSettings

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The manifest that the factory handed over.")],
    anchor: Annotated[
        Path | None,
        typer.Option(help="The manufacturer's IDevID trust anchor (PEM); needed the first time."),
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Register the devices of a hand-over manifest: all of them, or none."""
    report = asyncio.run(_import(settings_of(config, data), file, anchor))
    if as_json:
        print_json(
            {"authority": report.authority, "factory": report.factory}
            | {"devices": report.devices, "new": report.new, "first": report.is_first}
        )
        return
    if report.is_first:
        say(f"{report.factory} ({report.authority}) is a trusted issuer of identities now.")
    say(f"{counted(report.devices, 'device')} in the manifest, {report.new} of them new.")


@app.command("authorities")
def authorities(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the issuers of device identities that are trusted."""
    known = read(settings_of(config, data), lambda tx: tx.authorities.all())
    rows = [
        (a.id, a.name, fingerprint(parse_certificate(a.anchor)), a.trusted_at.isoformat())
        for a in known
    ]
    if as_json:
        names = ("authority", "name", "fingerprint", "trusted_at")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(("authority", "name", "SHA-256 of its anchor", "trusted since"), rows)


async def _import(settings: ServerSettings, file: Path, anchor: Path | None) -> ManifestReport:
    async with open_registry(settings) as registry:
        known = [
            parse_certificate(authority.anchor)
            for authority in await registry.read(lambda tx: tx.authorities.all())
        ]
        # An anchor that is named is the one that counts, also where others are trusted already.
        anchors = load_bundle(read_file(anchor)) if anchor else known
        with _opened(file) as stream:
            trusted = _anchor_of(stream, anchors)
            reader = ManifestReader(stream, trusted)
            return await import_manifest(registry, reader, trusted, actor=actor(), now=now())


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Open the file with a progress bar on a terminal; FILE_MISSING."""
    try:
        size = file.stat().st_size
        with file.open("rb", buffering=io.DEFAULT_BUFFER_SIZE) as raw:
            if not err.is_terminal:
                yield raw
                return
            with wrap_file(raw, size, description="Importing", console=err) as wrapped:
                yield wrapped
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{file}: {error.strerror}") from error


def _anchor_of(stream: BinaryIO, anchors: list[x509.Certificate]) -> x509.Certificate:
    """Return the anchor of the authority that the manifest names."""
    start = stream.tell()
    text = stream.readline(65_536)
    stream.seek(start)
    for anchor in anchors:
        if authority_id(anchor).encode() in text:
            return anchor
    if anchors:
        return anchors[0]
    raise HomeportError(
        Code.MANIFEST_UNPROVEN, "no authority is trusted yet: name its trust anchor with --anchor"
    )
