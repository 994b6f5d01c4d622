# SPDX-License-Identifier: Apache-2.0
"""A real OpenID provider (oidc-provider, run by node), and a person's browser at it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from fakes.browser import ORIGIN
from homeport.api import PREFIX
from homeport.api.server.oidc.provider import ProviderSettings
from homeport.demo.stage import free_ports
from homeport.keys import Secret

FOLDER: Final = Path(__file__).parents[1] / "conformance" / "oidc"
NODE: Final = Path(sys.executable).with_name("node")
CALLBACK: Final = f"{ORIGIN}{PREFIX}/oidc/callback"


@dataclass(frozen=True)
class OidcProvider:
    """A provider that runs."""

    issuer: str

    def settings(self, client: str = "homeport") -> ProviderSettings:
        """How a platform of this client is set."""
        return ProviderSettings(
            issuer=self.issuer,
            client_id=client,
            client_secret=Secret(f"secret of {client}: +/%") if client != "public" else None,
            callback=CALLBACK,
            title="Example ID",
        )

    def visit(self, address: str, person: str) -> str:
        """Sign in there as the person and consent; return the path and query to come back to."""
        with httpx.Client(base_url=self.issuer, timeout=30, trust_env=False) as browser:
            answer = browser.get(address)
            for _ in range(20):
                answer = self._step(browser, answer, person)
                location = str(answer.headers.get("location", ""))
                if location.startswith(CALLBACK):
                    return location.removeprefix(ORIGIN + PREFIX)
        raise AssertionError(f"not sent back: {answer.status_code} {answer.text[:2000]}")

    def _step(self, browser: httpx.Client, answer: httpx.Response, person: str) -> httpx.Response:
        if answer.has_redirect_location:
            return browser.get(answer.headers["location"])
        assert answer.status_code == 200, answer.text[:2000]
        form = {"prompt": "login", "login": person, "password": "any"}
        if 'value="consent"' in answer.text:
            form = {"prompt": "consent"}
        return browser.post(answer.url, data=form)


def changed(address: str, **changes: str | None) -> str:
    """The address with other parameters; None leaves one out."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    asked |= {name: value for name, value in changes.items() if value is not None}
    kept = {name: value for name, value in asked.items() if changes.get(name, "") is not None}
    return parts._replace(query=urlencode(kept)).geturl()


@contextmanager
def run_oidc_provider() -> Iterator[OidcProvider]:
    """Start it on a free port, and end it."""
    [port] = free_ports(1)
    command = [str(NODE), "provider.mjs", str(port), CALLBACK]
    with subprocess.Popen(
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if line.strip() == "ready":
                    break
            else:
                raise AssertionError("".join(said) + "is it installed? npm ci in " + str(FOLDER))
            yield OidcProvider(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
