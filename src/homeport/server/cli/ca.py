# SPDX-License-Identifier: Apache-2.0
"""`homeport ca request|install|root|sign`: intermediates under a root that is elsewhere.

`request` and `install` run at the platform, `root` and `sign` where the root's key is: on a machine
without a network, or not at all if a company's own PKI signs.
"""

from pathlib import Path
from typing import Annotated

import typer

from homeport.ca.establish import make_root, sign_intermediate_request
from homeport.keys import make_key, open_key
from homeport.pki.authority import Issuer
from homeport.pki.certificates import fingerprint, pem_of
from homeport.server.certificates.files import replace_file
from homeport.server.certificates.offline_root import install_chain, request_chain
from homeport.server.certificates.places import Intermediate, KeyPlaces, load_chain
from homeport.server.cli.files import read_file
from homeport.server.cli.session import Config, Data, now, say, settings_of

app = typer.Typer(no_args_is_help=True)

Which = Annotated[Intermediate, typer.Argument(help="The CA for devices, or for our services.")]
Output = Annotated[Path, typer.Option(help="File to write.")]
RootKey = Annotated[str, typer.Option(help="URI of the root's key: file:... or pkcs11:...")]


@app.command()
def request(which: Which, output: Output, config: Config = None, data: Data = None) -> None:
    """Write a PKCS#10 request for an intermediate, to be signed by the root's owner."""
    replace_file(output, request_chain(_places(config, data), which))
    say(f"Have {output} signed, then: homeport ca install {which} CHAIN")


@app.command()
def install(
    which: Which,
    chain: Annotated[Path, typer.Argument(help="PEM: intermediate first, root last.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Put in the chain that came back; it is checked first."""
    install_chain(_places(config, data), which, read_file(chain), now())
    say(f"The {which} CA is in place. A running platform takes it at its next start.")


@app.command()
def root(
    key: RootKey,
    output: Output,
    name: Annotated[str, typer.Option(help="Name in its certificate.")] = "Homeport root",
) -> None:
    """Make a new root: its key at the URI, its certificate in the file."""
    certificate = make_root(make_key(key), name, now())
    replace_file(output, pem_of(certificate))
    say(f"SHA-256 {fingerprint(certificate)}")


@app.command()
def sign(
    which: Which,
    request_file: Annotated[Path, typer.Argument(help="What `homeport ca request` wrote.")],
    key: RootKey,
    certificate: Annotated[Path, typer.Option(help="PEM of the root.")],
    output: Output,
    name: Annotated[str, typer.Option(help="Name in its certificate.")] = "",
) -> None:
    """Sign a request with the root's key, and write the chain for `homeport ca install`."""
    issuer = Issuer(load_chain(certificate)[0], open_key(key))
    made = sign_intermediate_request(
        issuer, read_file(request_file), name or f"Homeport {which}", which.purposes, now()
    )
    replace_file(output, pem_of(made, issuer.certificate))
    say(f"SHA-256 {fingerprint(made)}")


def _places(config: Path | None, data: Path | None) -> KeyPlaces:
    settings = settings_of(config, data)
    return KeyPlaces(
        directory=settings.data / "keys",
        names=(settings.name,),
        issuing_key=settings.keys.issuer,
    )
