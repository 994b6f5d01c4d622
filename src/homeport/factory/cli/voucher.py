# SPDX-License-Identifier: Apache-2.0
"""`homeport factory voucher`."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from homeport.errors import Code, HomeportError
from homeport.factory.archive.records import file_name
from homeport.factory.cli.output import (
    Directory,
    Json,
    counted,
    instant,
    now,
    print_json,
    read_certificates,
    say,
)
from homeport.factory.factory import Factory
from homeport.factory.vouchers import Ownership, issue_vouchers
from homeport.pki.certificates import fingerprint


def voucher(
    directory: Directory,
    serial_number: Annotated[list[str], typer.Option(help="Device to vouch for; repeat it.")],
    domain_cert: Annotated[Path, typer.Option(help="The owner's domain certificate (PEM).")],
    epoch: Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Ownership epoch.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; for several devices, folder.")
    ],
    nonce: Annotated[
        str | None, typer.Option(help="Nonce of the device, base64: for one without a clock.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="End of the voucher (2027-01-01); not with a nonce.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Vouch that devices belong to an owner."""
    ownership = Ownership(
        domain_cert=read_certificates(domain_cert)[0],
        epoch=epoch,
        created_on=now(),
        expires_on=instant(expires),
        nonce=_nonce(nonce),
    )
    vouchers = issue_vouchers(Factory(directory), serial_number, ownership)
    _write(vouchers, output)
    if as_json:
        print_json({"output": str(output), "devices": list(vouchers), "epoch": epoch})
        return
    number = counted(len(vouchers), "voucher")
    say(f"{number} of epoch {epoch} in {output}, for the owner whose certificate")
    say(f"has the SHA-256 {fingerprint(ownership.domain_cert)}.")


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise HomeportError(Code.SETTING_WRONG, "the nonce is not base64") from None


def _write(vouchers: Mapping[str, bytes], output: Path) -> None:
    """Write one voucher a file, as every protocol carries them; never replace one."""
    if len(vouchers) > 1:
        output.mkdir(parents=True, exist_ok=True)
    for serial_number, content in vouchers.items():
        path = output / f"{file_name(serial_number)}.vjj" if len(vouchers) > 1 else output
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise HomeportError(Code.ALREADY_EXISTS, str(path)) from None
        except OSError as error:
            raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
