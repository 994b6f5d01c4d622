# SPDX-License-Identifier: Apache-2.0
"""`homeport`: one program, four rooms. Only the room that is asked for is loaded."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from homeport import VERSION

_EXTRAS: Final[Mapping[str, str]] = {
    "agent": "agent",
    "factory": "factory",
    "demo": "agent,server,factory",
}
"""What each room needs to be installed (pyproject.toml); everything else is the platform's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the command line to its room; return the exit status."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if argv[:1] == ["--version"]:
        print(f"homeport {VERSION}")
        return 0
    try:
        return _room(argv)(argv[1:] if argv[:1] in (["agent"], ["factory"], ["demo"]) else argv)
    except ModuleNotFoundError as error:
        return _not_installed(argv, error)


def _room(argv: list[str]) -> Callable[[list[str]], int]:
    match argv[:1]:
        case ["agent"]:
            from homeport.agent.cli import main as agent

            return agent
        case ["factory"]:
            from homeport.factory.cli import main as factory

            return factory
        case ["demo"]:
            from homeport.demo.command import main as demo

            return demo
        case _:
            from homeport.server.cli import main as server

            return server


def _not_installed(argv: list[str], error: ModuleNotFoundError) -> int:
    """Say which part of Homeport is not here; a module of our own that is missing is a fault."""
    if (error.name or "homeport").partition(".")[0] == "homeport":
        raise error
    extra = _EXTRAS.get("".join(argv[:1]), "server")
    print(f"This part of Homeport is not installed: {error.name} is missing.", file=sys.stderr)
    print(f"  Install Homeport with the extra [{extra}], as README.md says.", file=sys.stderr)
    if extra != "agent":
        print("  The agent has commands of its own: homeport agent --help", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
