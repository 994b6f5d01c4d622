# SPDX-License-Identifier: Apache-2.0
"""docs/reference/settings.md, and the full example files in conf/, from the dataclasses."""

from collections.abc import Iterable
from typing import Any, Final

from homeport.agent.settings import AgentSettings
from homeport.server.settings import ServerSettings
from homeport.settings import Setting, describe
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Settings

TOML files; every setting has a default. Unknown names are errors, and all faults are reported at
once. Durations are text with a unit (`"90s"`, `"15m"`, `"90d"`); paths are relative to the file
that names them; a secret is never a value but the path of its file.
"""

PROGRAMS: Final[tuple[tuple[str, str, Any], ...]] = (
    (
        "server.toml",
        "The platform: `--config FILE`, `$HOMEPORT_CONFIG`, or `/etc/homeport/server.toml`.",
        ServerSettings,
    ),
    ("agent.toml", "The agent on the device: `homeport agent run --config FILE`.", AgentSettings),
)

OF_THE_MACHINE: Final = {
    "server.toml": {"data": '"/var/lib/homeport"'},
    "agent.toml": {},
}
"""Defaults that depend on the machine, as the example shows them."""


def page() -> str:
    """One table a program."""
    return INTRODUCTION + "".join(_section(*program) for program in PROGRAMS)


def example(name: str) -> str:
    """Every setting with meaning and default; what is commented out is the default."""
    _, about, settings = next(program for program in PROGRAMS if program[0] == name)
    lines = [f"# {about}".replace("`", ""), "# What is commented out is the default."]
    folder = ""
    for setting in _settings(name, settings):
        table_name, _, field = setting.name.rpartition(".")
        if table_name != folder:
            folder = table_name
            lines += ["", f"[{folder}]"]
        lines += ["", *(f"# {line}" for line in setting.description.splitlines())]
        lines.append(f"# {field} = {setting.default or '...'}")
    return "\n".join(lines) + "\n"


def _section(name: str, about: str, settings: Any) -> str:
    rows = [
        (f"`{s.name}`", s.type, f"`{s.default}`" if s.default else "–", s.description)
        for s in _settings(name, settings)
    ]
    head = f"\n## {name}\n\n{about} [All of it as a file](../../conf/{name}).\n\n"
    return head + table(("setting", "kind", "default", "meaning"), rows)


def _settings(name: str, settings: Any) -> Iterable[Setting]:
    shown = OF_THE_MACHINE[name]
    for setting in describe(settings):
        default = shown.get(setting.name, setting.default)
        yield Setting(setting.name, setting.type, default, setting.is_required, setting.description)
