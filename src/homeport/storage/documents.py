# SPDX-License-Identifier: Apache-2.0
"""JSON documents as the database keeps them: text, so that it is the same in every database."""

from typing import Any

import msgspec

from homeport.domain.context.document import Document, compact

_read = msgspec.json.Decoder(dict[str, Any]).decode


def to_text(document: Document) -> str:
    """Write it; MalformedError for what is no JSON."""
    return compact(document).decode()


def to_document(text: str) -> Document:
    """Read what `to_text` wrote."""
    return _read(text)
