# SPDX-License-Identifier: Apache-2.0
"""The command line: options that every verb has, and which verb it is.

Exit status: 0 done, 1 refused or failed (title, detail and advice on standard error, or JSON on
standard output with --json), 2 misused. `argparse`, because a device has no room for more.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from homeport import VERSION
from homeport.agent.settings import SETTINGS_FILE, AgentSettings, LogFormat, Transport
from homeport.errors import HomeportError
from homeport.settings import load
from homeport.telemetry import visible

Verb = Callable[[AgentSettings, argparse.Namespace], int]

_OVERRIDES: Final = {
    "identity": "identity",
    "state": "state",
    "socket": "socket",
    "address": "address",
    "proxy": "proxy",
    "transport": "transport",
    "log_level": "log.level",
    "log_format": "log.format",
}
"""Options that stand for a setting."""


def main(arguments: Sequence[str]) -> int:
    """Run one verb; return its exit status."""
    options = _parser().parse_args(list(arguments))
    try:
        return _verb(options.verb)(_settings(options), options)
    except HomeportError as error:
        print_error(error, as_json=options.json)
        return 1


def print_error(error: HomeportError, *, as_json: bool) -> None:
    """Say what went wrong and what to do about it."""
    if as_json:
        print(json.dumps({"error": error.as_dict()}))
        return
    print(error.title, file=sys.stderr)
    if error.detail:
        print(f"  {visible(error.detail)}", file=sys.stderr)
    print(f"  {error.advice}  ({error.code})", file=sys.stderr)


def _settings(options: argparse.Namespace) -> AgentSettings:
    path = options.config or (SETTINGS_FILE if SETTINGS_FILE.exists() else None)
    given = {name: getattr(options, option, None) for option, name in _OVERRIDES.items()}
    return load(AgentSettings, path, given)


def _verb(name: str) -> Verb:
    """Load one verb's file, and nothing that it does not need. The parser has checked the name."""
    verb: Verb = getattr(import_module(f"homeport.agent.cli.{name}"), name)
    return verb


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="homeport agent",
        description="Brings this device home: finds its platform, enrols, connects, renews.",
    )
    parser.add_argument("--version", action="version", version=f"homeport {VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add(verbs, "run", "run the agent until it is told to end")
    _add(verbs, "status", "say where the device stands, and what it waits for")
    _add(verbs, "reset", "forget the owner; the device's own identity stays")
    doctor = _add(verbs, "doctor", "check every step from the key to the broker")
    doctor.add_argument("--patience", type=float, default=10.0, help="seconds for each check")
    publish = _add(verbs, "publish", "send one message upstream through the running agent")
    publish.add_argument("channel", help="such as temperature, or line1/temperature")
    publish.add_argument("payload", help="JSON, or any text")
    publish.add_argument("--wait", type=float, default=30.0, help="seconds to wait for delivery")
    return parser


def _add(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=words)
    verb.add_argument("--config", type=Path, help=f"settings file (else {SETTINGS_FILE})")
    verb.add_argument("--identity", type=Path, help="directory with device.toml, from the factory")
    verb.add_argument("--state", type=Path, help="directory that the agent remembers in")
    verb.add_argument("--socket", type=Path, help="socket for programs on this device")
    verb.add_argument("--address", help="try only this platform, such as https://10.0.0.5:8443")
    verb.add_argument("--proxy", help="HTTP proxy, such as http://10.0.0.1:3128")
    verb.add_argument("--transport", choices=list(Transport), help="how messages travel")
    verb.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    verb.add_argument("--log-format", choices=list(LogFormat))
    verb.add_argument("--json", action="store_true", help="print JSON for programs")
    return verb
