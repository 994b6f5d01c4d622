# SPDX-License-Identifier: Apache-2.0
"""docs/reference/commands.md, from the commands themselves."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

import typer

from homeport.agent.cli import command as agent
from homeport.factory import cli as factory
from homeport.server import cli as server
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Commands

Exit status: 0 done, 1 refused or failed (what, why and what to do is on standard error), 2 misused.
`--json` prints one JSON document on standard output, errors too. `--install-completion` sets up
the shell's completion.
"""


def page() -> str:
    """One section a command."""
    sections = [
        *_typer("homeport", typer.main.get_command(server.app)),
        *_typer("homeport factory", typer.main.get_command(factory.app)),
        *_argparse("homeport agent", agent._parser()),  # noqa: SLF001
        (
            "homeport demo",
            "A factory, a platform and devices on this machine.",
            [("`--exit`", "end when every device arrived")],
        ),
    ]
    return INTRODUCTION + "".join(_section(*section) for section in sections)


def _section(name: str, about: str, rows: list[tuple[str, str]]) -> str:
    head = f"\n## {name}\n\n{about}\n"
    return head + ("\n" + table(("argument", "meaning"), rows) if rows else "")


def _typer(name: str, command: Any) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    if hasattr(command, "commands"):
        for word, below in command.commands.items():
            yield from _typer(f"{name} {word}", below)
        return
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_option = parameter.param_type_name == "option"
        names = ", ".join(f"`{n}`" for n in parameter.opts) if is_option else parameter.name.upper()
        rows.append((names, getattr(parameter, "help", None) or ""))
    yield name, command.help or "", rows


def _argparse(
    name: str, parser: argparse.ArgumentParser
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    choices = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001
    if choices:
        for word, below in choices[0].choices.items():
            yield from _argparse(f"{name} {word}", below)
        return
    rows = []
    for action in parser._actions:  # noqa: SLF001
        if action.dest == "help":
            continue
        names = ", ".join(f"`{n}`" for n in action.option_strings) or action.dest.upper()
        rows.append((names, action.help or ""))
    yield name, parser.description or "", rows
