# SPDX-License-Identifier: Apache-2.0
"""Labels: good ones, stickers of attackers, and texts that are none."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from homeport.artefacts.claim_code import make_claim_code
from homeport.artefacts.label import Label
from homeport.pki.certificates import spki_of
from tools.vectors_artefacts.works import Works, dpp_point


def vectors(works: Works) -> Iterator[Mapping[str, Any]]:
    """Yield every vector."""
    label = works.label(17)
    signer = base64.b64encode(spki_of(works.manifest_signer.key.public_key())).decode()
    for name, about, text, verdict in (*_readable(label), *_unreadable(label)):
        yield {
            "name": name,
            "description": about,
            "signer": signer,
            "label": text,
            "expected": {"verdict": verdict},
        }


def _readable(label: Label) -> Iterator[tuple[str, str, str, str]]:
    yield "good", "As it is printed.", label.encode(), "proven"
    yield "good-nfc", "Without the claim code.", label.without_claim_code().encode(), "proven"
    # The page may be anybody's: our own scanner does not look at it.
    other_page = replace(label, page="https://elsewhere.example/scan?x=1")
    yield "good-other-page", "The host is not trusted.", other_page.encode(), "proven"
    foreign_key = replace(label, dpp_point=dpp_point())
    yield (
        "foreign-key",
        "A sticker with the attacker's DPP key.",
        foreign_key.encode(),
        "unproven",
    )
    number = replace(label, serial_number="EX-000018")
    yield "other-number", "The serial number was changed.", number.encode(), "unproven"
    code = replace(label, claim_code=make_claim_code())
    yield "other-code", "The claim code was changed.", code.encode(), "unproven"
    model = replace(label, model="EX-200")
    yield "other-model", "The model was changed.", model.encode(), "unproven"
    foreign = Works().label(17)
    yield "foreign-signer", "Signed by another manufacturer.", foreign.encode(), "unproven"


def _unreadable(label: Label) -> Iterator[tuple[str, str, str, str]]:
    good = label.encode()
    page, fragment = good.split("#")
    swapped = "&".join([*fragment.split("&")[:1], *reversed(fragment.split("&")[1:])])
    code = label.claim_code or ""
    for name, about, text in (
        ("http", "Not https.", good.replace("https:", "http:")),
        ("no-fragment", "Only the page.", page),
        ("version", "A version that is to come.", good.replace("#1&", "#2&")),
        ("order", "Members in another order.", f"{page}#{swapped}"),
        ("repeated", "A member twice.", good.replace("&m=", "&m=X&m=")),
        ("unknown-member", "A member that we do not know.", f"{good}&z=1"),
        ("no-signature", "The signature is missing.", good[: good.index("&g=")]),
        ("short-signature", "The signature is cut.", good[:-4]),
        ("lower-case-code", "The claim code in lower case.", good.replace(code, code.lower())),
        ("code-with-dashes", "The claim code as people write it.", good.replace(code, f"{code}-")),
        ("escaped", "Escapes where none belong.", good.replace("s=EX", "s=%45X")),
        ("control", "A control character in the serial number.", good.replace("s=EX", "s=%0AEX")),
        ("padding", "base64url with padding.", f"{good}=="),
        ("not-on-curve", "A DPP key that is no point.", _without_point(good)),
        ("dpp-uri", "A bare DPP URI.", label.dpp_uri),
        ("too-long", "Longer than any label.", good + "A" * 1000),
    ):
        yield name, about, text, "malformed"


def _without_point(good: str) -> str:
    before, _, after = good.partition("&k=")
    return f"{before}&k={'_' * 44}{after[44:]}"
