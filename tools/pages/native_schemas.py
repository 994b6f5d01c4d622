# SPDX-License-Identifier: Apache-2.0
"""docs/protocols/native/*.schema.json: JSON Schemas (2020-12) of `homeport.protocols.native.wire`.

They say less than the code in one thing: lengths of octets are those of their base64, rounded up.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from homeport.protocols.native import wire

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MESSAGES: Final[Mapping[str, Any]] = {
    "greeting": wire.Greeting,
    "enrol-request": wire.EnrolRequest,
    "renew-request": wire.RenewRequest,
    "register-request": wire.RegisterRequest,
    "answer": wire.AnyAnswer,
    "problem": wire.Problem,
}


def schema(name: str) -> str:
    """The schema of one message: of the JWS payload where it travels in a JWS."""
    content = msgspec.json.schema(MESSAGES[name])
    notice = "Written by `make docs`. Change the code, not this file."
    whole = {"$schema": DIALECT, "title": name, "$comment": notice, **content}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
