# SPDX-License-Identifier: Apache-2.0
"""`homeport`: one program, four rooms. Only the room that is asked for is loaded."""

import sys
from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the command line to its room; return the exit status."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    return _room(argv)(argv[1:] if argv[:1] in (["agent"], ["factory"], ["demo"]) else argv)


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


if __name__ == "__main__":
    sys.exit(main())
