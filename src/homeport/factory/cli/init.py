# SPDX-License-Identifier: Apache-2.0
"""`homeport factory init`."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.factory.cli.output import (
    Directory,
    Json,
    now,
    print_facts,
    print_json,
    read_certificates,
    say,
    warn,
)
from homeport.factory.factory import Factory
from homeport.factory.initialise import FactoryPlan, initialise
from homeport.factory.key_places import is_token
from homeport.factory.settings import (
    IDEVID_ANCHOR_FILE,
    PASSPHRASE_FILE,
    VOUCHER_ANCHOR_FILE,
    PlatformSettings,
)
from homeport.pki.certificates import fingerprint


def init(
    directory: Directory,
    name: Annotated[str, typer.Option(help="Name of the factory, for its certificates.")],
    label_host: Annotated[
        str, typer.Option(help="Host or https URL that labels lead a phone's camera to.")
    ],
    platform_name: Annotated[str, typer.Option(help="Host name of the platform; devices pin it.")],
    platform_url: Annotated[str, typer.Option(help="The platform's default address, https.")],
    platform_anchors: Annotated[
        Path | None, typer.Option(help="The platform's trust anchors (PEM); needed for --split.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="PKCS#11 URI of the token for the factory's keys; else encrypted files."),
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the passphrase of the factory; else one is made.")
    ] = None,
    issuer_cert: Annotated[
        Path | None,
        typer.Option(help="An existing CA: its certificate first, its trust anchor last (PEM)."),
    ] = None,
    issuer_key: Annotated[str | None, typer.Option(help="Key URI of the existing CA.")] = None,
    as_json: Json = False,
) -> None:
    """Begin a factory: its authorities, signers, settings and empty archive."""
    plan = FactoryPlan(
        name=name,
        label_page=label_host if "://" in label_host else f"https://{label_host}/",
        platform=PlatformSettings(name=platform_name, url=platform_url),
        platform_anchors=read_certificates(platform_anchors) if platform_anchors else (),
        token=key,
        passphrase=passphrase_file,
        issuer_chain=read_certificates(issuer_cert) if issuer_cert else (),
        issuer_key=issuer_key,
    )
    initialise(directory, plan, now())
    facts = _facts(Factory(directory))
    if as_json:
        print_json(facts)
        return
    print_facts([(title.replace("_", " "), value) for title, value in facts.items()])
    _advise(directory, plan)


def _facts(factory: Factory) -> dict[str, str]:
    return {
        "directory": str(factory.directory),
        "authority": factory.authority,
        "idevid_anchor": str(factory.directory / IDEVID_ANCHOR_FILE),
        "idevid_anchor_sha256": fingerprint(factory.anchor),
        "voucher_anchor": str(factory.directory / VOUCHER_ANCHOR_FILE),
        "voucher_anchor_sha256": fingerprint(factory.voucher_anchor),
        "issuer_key": factory.settings.keys.issuer,
        "label_page": factory.settings.label_page,
    }


def _advise(directory: Path, plan: FactoryPlan) -> None:
    if plan.passphrase is None:
        warn(
            f"The passphrase was made in {directory / PASSPHRASE_FILE}, beside what it protects:"
            " good enough to try things. For production give --passphrase-file, and keep it apart."
        )
    if plan.issuer_key is None and not (plan.token and is_token(plan.token)):
        say(f"Move {directory}/keys/idevid-root.pem and voucher-root.pem to a safe: minting does")
        say("not need them, only a new issuer would.")
    say("")
    say(f"Next:  homeport factory mint {directory} --model EX-100 --count 10 --split devices")
    say(f"       homeport factory hand-over {directory} --output manifest.jsonl")
    say("Tell the platform's operator the authority's SHA-256 by another way than the manifest.")
