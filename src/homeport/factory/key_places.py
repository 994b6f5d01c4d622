# SPDX-License-Identifier: Apache-2.0
"""Where keys of factory and devices live: URIs completed with passphrase, path and label."""

from pathlib import Path
from urllib.parse import quote

from homeport.errors import Code, HomeportError


def is_token(uri: str) -> bool:
    """Whether the URI names a PKCS#11 token."""
    return uri.lower().startswith("pkcs11:")


def in_token(uri: str, label: str) -> str:
    """Return the URI of the key with this object label in the token that `uri` names.

    Raise SETTING_WRONG if `uri` is no PKCS#11 URI, or names a single key already.
    """
    path, question, query = uri.partition("?")
    if not is_token(uri) or "token=" not in path:
        raise HomeportError(Code.SETTING_WRONG, f"not a PKCS#11 URI with token=: {path!r}")
    if "object=" in path or "id=" in path:
        raise HomeportError(Code.SETTING_WRONG, "leave object= and id= out: each key gets its own")
    return f"{path.rstrip(';')};object={quote(label, safe='')}{question}{query}"


def in_directory(uri: str, directory: Path, passphrase: Path) -> str:
    """Complete a relative `file:` URI: below `directory`, encrypted by the passphrase file.

    Other URIs are the operator's own, and stay as they are.
    """
    path = uri.removeprefix("file:")
    if not uri.startswith("file:") or path.startswith("/"):
        return uri
    source = f"passphrase-source=file:{quote(str(passphrase.absolute()))}"
    return f"file:{quote(str(directory.absolute()))}/{path}?{source}"
