# SPDX-License-Identifier: Apache-2.0
"""Which platform a command is for, and the way to it: docs/decisions/0017.

On the platform's own machine the people's door is inside the command, over the registry: whoever
may read the data directory is the operator, and no server has to run. Elsewhere it is the platform
that one is logged in at (`homeport login`), or that `--platform` names.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError
from homeport.files import replace_private_file
from homeport.http.asgi import Scope
from homeport.server.cli.session import actor, demand_platform, settings_of
from homeport.server.opening import open_registry

if TYPE_CHECKING:
    from homeport.api.client.platform import Platform

PLATFORM_VARIABLE: Final = "HOMEPORT_PLATFORM"
KEY_VARIABLE: Final = "HOMEPORT_API_KEY"

named_platform: Final[ContextVar[str | None]] = ContextVar("named_platform", default=None)
"""What `--platform` says."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to get in at a platform elsewhere."""

    url: str
    key: str
    anchors: str | None = None
    """Roots of its certificate, PEM; None: those of the system."""
    address: str | None = None
    """Base URL at which it is found, where its name has no address."""


@contextmanager
def the_platform(
    config: Path | None, data: Path | None, *, makes: bool = False
) -> Iterator["Platform"]:
    """Reach the platform that is meant; `makes`: a data directory may be begun by this command."""
    # Seconds of imports in all: a command that only prints its help needs none of them.
    from homeport.api.client.platform import Platform

    login = None if config or data else _login()
    if login is not None:
        from homeport.api.client.remote import Remote  # httpx: only where it is needed

        with Remote(login.url, login.key, login.anchors, address=login.address) as remote:
            yield Platform(remote)
        return
    with _here(config, data, makes=makes) as here:
        yield here


@contextmanager
def _here(config: Path | None, data: Path | None, *, makes: bool) -> Iterator["Platform"]:
    settings = settings_of(config, data)
    if not makes:
        demand_platform(settings)
    from homeport.api.client.platform import Platform
    from homeport.api.client.transport import InProcess
    from homeport.api.server.app import make_app
    from homeport.api.server.callers import LocalOperator
    from homeport.api.server.parts import Parts

    with asyncio.Runner() as runner:
        opening = open_registry(settings)
        registry = runner.run(opening.__aenter__())
        try:
            parts = Parts(
                registry=registry,
                authenticator=LocalOperator(actor()),
                clock=SystemClock(),
                noted=_raise_faults,
                uploads=settings.data,
            )
            yield Platform(InProcess(make_app(parts), runner))
        finally:
            runner.run(opening.__aexit__(None, None, None))


def _raise_faults(_scope: Scope, error: Exception) -> None:
    """There is no log here: a fault of ours is seen with its trace."""
    if not isinstance(error, HomeportError):
        raise error


def _login() -> Login | None:
    """Return how to get in at the platform that is named, or logged in at; None: this machine."""
    kept = read_login()
    url = named_platform.get() or os.environ.get(PLATFORM_VARIABLE)
    if url is None or (kept is not None and kept.url == url.rstrip("/")):
        return kept
    key = os.environ.get(KEY_VARIABLE)
    if key is None:
        raise HomeportError(Code.SIGN_IN_NEEDED, f"no key for {url}: ${KEY_VARIABLE} is not set")
    return Login(url.rstrip("/"), key)


def login_path() -> Path:
    """Return the file that `homeport login` writes."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "homeport" / "login.json"


def read_login() -> Login | None:
    """Return what `homeport login` kept; a key in the environment counts more."""
    try:
        kept = Login(**json.loads(login_path().read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise HomeportError(Code.SETTING_WRONG, f"{login_path()}: log in again") from error
    return replace(kept, key=os.environ.get(KEY_VARIABLE, kept.key))


def keep_login(login: Login) -> Path:
    """Keep it, readable by its owner alone."""
    path = login_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_private_file(path, json.dumps(asdict(login)).encode())
    return path
