# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""Write the vectors whose recipes say something new: `python -m tools.vectors_native`.

With `--all` every file is written, with new keys: do it when a recipe makes something else than
before and says the same.
"""

import datetime as dt
import hashlib
import json
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from homeport.errors import CATALOGUE
from homeport.http.problem import status_of
from tools.vectors_native import (
    bad_identities,
    bad_payloads,
    bad_registered,
    bad_signatures,
)
from tools.vectors_native.draft import Draft, base64
from tools.vectors_native.good import GOOD
from tools.vectors_native.identities import pem, spki
from tools.vectors_native.recipe import Recipe
from tools.vectors_native.registered import Registered
from tools.vectors_native.scene import NonceSource, Scene, own_scene

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "vectors" / "native"
NOW: Final = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)

REFUSED: Final = [
    recipe
    for module in (bad_signatures, bad_identities, bad_payloads, bad_registered)
    for recipe in module.BAD.all
]
PROVEN: Final = GOOD.all


def main() -> None:
    """Play the recipes whose vectors are missing or old, and write what came of them."""
    scene, nonces = own_scene(NOW)
    for folder, recipes in (("good", PROVEN), ("bad", REFUSED)):
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
        paths = {FOLDER / folder / f"{recipe.name}.json": recipe for recipe in recipes}
        for obsolete in set((FOLDER / folder).glob("*.json")) - paths.keys():
            obsolete.unlink()
        for path, recipe in paths.items():
            if "--all" in sys.argv or not is_current(path, recipe):
                text = json.dumps(vector(recipe, scene, nonces), indent=1, ensure_ascii=False)
                path.write_text(text + "\n", encoding="utf-8")


def is_current(path: Path, recipe: Recipe) -> bool:
    """Say whether the file tells of the recipe what the recipe says of itself."""
    if not path.exists():
        return False
    present = json.loads(path.read_text(encoding="utf-8"))
    told = (present["description"], present["section"], present["request"]["kind"])
    code = present["expected"].get("code")
    return told == (recipe.description, recipe.section, recipe.kind) and code == recipe.code


def vector(recipe: Recipe, scene: Scene, nonces: NonceSource) -> dict[str, Any]:
    """Return one vector, as tests/vectors/native/README.md describes it."""
    nonces.issued.clear()
    made = recipe.make(scene)
    if isinstance(made, Draft):
        body = made.body()
        expected = verdict(recipe, made, body, scene)
    else:
        body, expected = made if isinstance(made, bytes) else made.body(), refusal(recipe)
    return {
        "name": recipe.name,
        "description": recipe.description,
        "section": recipe.section,
        "platform": {
            "url": scene.url,
            "now": scene.now.isoformat(),
            "nonce_key": nonces.key.hex(),
            "nonces": [
                {"nonce": nonce, "made": at.isoformat()} for nonce, at in nonces.issued.items()
            ],
            "idevid_anchors": [pem(anchor) for anchor in scene.maker.anchors],
            "ldevid_issuers": [pem(scene.platform.ldevid_issuer.certificate)],
        },
        **({"registry": made.document()} if isinstance(made, Registered) else {}),
        "request": {"kind": recipe.kind, **as_text(body)},
        "expected": expected,
    }


def as_text(body: bytes) -> dict[str, str]:
    """Return the body as text where it is text."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64(body)}


def refusal(recipe: Recipe) -> dict[str, object]:
    """Return code, kind and HTTP status of the refusal."""
    assert recipe.code is not None
    kind = CATALOGUE[recipe.code].kind
    return {
        "verdict": "refused",
        "code": str(recipe.code),
        "kind": str(kind),
        "status": status_of(recipe.code),
    }


def verdict(recipe: Recipe, draft: Draft, body: bytes, scene: Scene) -> dict[str, object]:
    """Return what is proven, worked out from the recipe and not by the code under test."""
    assert isinstance(draft.payload, Mapping)
    csr = x509.load_der_x509_csr(b64decode(str(draft.payload["csr"])))
    parts = json.loads(body)
    signed = ".".join(parts[name] for name in ("protected", "payload", "signature"))
    proven = {
        "verdict": "proven",
        "fingerprint": draft.signer.fingerprint,
        "key_hash": hashlib.sha256(spki(csr)).hexdigest(),
        "request_id": draft.payload["request_id"],
        "device_nonce": draft.payload["device_nonce"],
        "request_hash": hashlib.sha256(signed.encode()).hexdigest(),
    }
    return proven if recipe.kind == "renew" else {**proven, **device_of(draft, scene)}


def device_of(draft: Draft, scene: Scene) -> dict[str, object]:
    """Return who is proven to ask, and what for."""
    assert isinstance(draft.payload, Mapping)
    issuer = x509.load_der_x509_certificate(draft.signer.chain[0]).issuer
    is_rsa = issuer == scene.maker.rsa_root.certificate.subject
    authority = (scene.maker.rsa_root if is_rsa else scene.maker.root).id
    return {
        "authority": authority,
        "serial_number": draft.signer.serial_number,
        "device": f"{authority}-{escaped(draft.signer.serial_number)}",
        "model": draft.payload["model"],
        "epoch": draft.payload.get("epoch", 0),
        "wait": draft.payload.get("wait", 0),
    }


def escaped(serial_number: str) -> str:
    """Return it as in a device id: what is not A-Z a-z 0-9 - _ as =XX of its UTF-8."""
    octets = (bytes([octet]) for octet in serial_number.encode())
    return "".join(
        octet.decode() if octet.isalnum() or octet in b"-_" else f"={octet[0]:02X}"
        for octet in octets
    )


if __name__ == "__main__":
    main()
