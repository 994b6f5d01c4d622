# SPDX-License-Identifier: Apache-2.0
"""Real PKCS#11 tokens for tests: SoftHSM2 with a private token directory.

A PKCS#11 module reads its configuration once a process, so there is one directory per test
process, made at the first use; every test makes its own token in it. Child processes inherit
`SOFTHSM2_CONF` and see the same tokens.
"""

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

MODULE: Final = next(
    (
        path
        for path in (
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
        )
        if Path(path).exists()
    ),
    "/usr/lib/softhsm/libsofthsm2.so",
)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class SoftToken:
    """An initialised token: its label, PIN, PIN file and module."""

    label: str
    pin: str
    pin_file: Path
    module: str = MODULE

    def uri(self, key_label: str) -> str:
        """The PKCS#11 URI (RFC 7512) of a key in this token."""
        return (
            f"pkcs11:token={quote(self.label, safe='')};object={quote(key_label, safe='')}"
            f"?module-path={self.module}&pin-source=file:{self.pin_file}"
        )


@functools.cache
def softhsm_home() -> Path:
    """Make this process's token directory and point `SOFTHSM2_CONF` at it."""
    require_softhsm()
    home = Path(tempfile.mkdtemp(prefix="homeport-softhsm-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    tokens = home / "tokens"
    tokens.mkdir()
    configuration = home / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    return home


def require_softhsm() -> None:
    """Skip when SoftHSM2 is not installed (in CI a skip is a failure)."""
    if not shutil.which("softhsm2-util") or not Path(MODULE).exists():
        pytest.skip("softhsm2 is not installed")


def make_token(label: str | None = None, pin: str = "1234") -> SoftToken:
    """Initialise a new token; the label is made unique unless given."""
    home = softhsm_home()
    name = label or f"token-{os.getpid()}-{next(_numbers)}"
    pin_file = home / f"{name}.pin"
    pin_file.write_text(pin + "\n")
    pin_file.chmod(0o600)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", name, "--so-pin", "5678",
         "--pin", pin],
        check=True, capture_output=True, env=os.environ, timeout=30,
    )  # fmt: skip
    if loaded := sys.modules.get("homeport.keys.token"):
        loaded.reload_modules()  # SoftHSM2 lists its tokens once a process.
    return SoftToken(name, pin, pin_file)


@pytest.fixture
def soft_token() -> SoftToken:
    """A fresh token for one test."""
    return make_token()
