# SPDX-License-Identifier: Apache-2.0
"""Settings: a TOML file read into frozen dataclasses, one field for each setting.

Rules: unknown names are errors (a misspelt setting must not be a silent default); all faults are
reported at once; paths are relative to the file that names them; durations are text with a unit
("90s"); a secret is never a value but the path of its file. Every field has a default, unless it
must be given, and a docstring below it; the reference page and `conf/` are made from both.
"""

import ast
import inspect
import re
import textwrap
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as type_hints

from homeport.errors import Code, HomeportError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")

UNITS: Final[Mapping[str, timedelta]] = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Between:
    """Limits of a number or duration, both allowed: `Annotated[int, Between(1, 65535)]`."""

    minimum: Any
    maximum: Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the reference page shows it."""

    name: str
    """With its tables: `log.level`."""
    type: str
    default: str
    """As it is written in TOML; empty if there is none, or if it must be given."""
    is_required: bool
    description: str


def load(
    cls: type[Settings], path: Path | None, overrides: Mapping[str, object] | None = None
) -> Settings:
    """Read the file (None: only defaults) and lay `overrides` on top.

    Overrides come from the command line: names with dots for tables, values as in TOML or already
    of the field's type; None means not given. Raise FILE_MISSING, or SETTING_WRONG with every
    fault in its detail.
    """
    table = _read(path) if path else {}
    for name, value in (overrides or {}).items():
        if value is not None:
            _lay(table, name.split("."), value)
    return parse(cls, table, base=path.parent if path else Path(), origin=str(path or "settings"))


def parse(cls: type[Settings], table: Mapping[str, object], *, base: Path, origin: str) -> Settings:
    """Make the settings from a table; relative paths are below `base`. Raise SETTING_WRONG."""
    reading = _Reading(base)
    value = reading.table(cls, table, "")
    if reading.faults:
        raise HomeportError(Code.SETTING_WRONG, f"{origin}: {'; '.join(reading.faults)}")
    result: Settings = value
    return result


def describe(cls: "type[DataclassInstance]", prefix: str = "") -> Iterator[Setting]:
    """Yield every setting of the dataclass and its tables, in the order of writing."""
    hints, words = type_hints(cls, include_extras=True), _docstrings(cls)
    for field in fields(cls):
        kind, name = _plain(hints[field.name]), prefix + field.name
        if is_dataclass(kind) and isinstance(kind, type):
            yield from describe(kind, f"{name}.")
            continue
        default = _default(field)
        required = default is MISSING
        written = "" if required or default is None else _as_toml(default)
        yield Setting(name, _type_name(hints[field.name]), written, required, words[field.name])


def parse_duration(text: str) -> timedelta:
    """Read "250ms", "90s", "15m", "1h" or "90d"; raise ValueError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError('a duration looks like "250ms", "90s", "15m", "1h" or "90d"')
    return int(found[1]) * UNITS[found[2]]


def write_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that divides it."""
    fitting = [unit for unit, size in UNITS.items() if duration % size == timedelta(0)]
    return f"{duration // UNITS[fitting[-1]]}{fitting[-1]}"


class _UnfitError(ValueError):
    """A value that is not what the setting wants."""


class _Reading:
    """One run over a table; faults are gathered, never raised, so that all are seen."""

    def __init__(self, base: Path) -> None:
        self.faults: list[str] = []
        self._base = base

    def table(self, cls: Any, given: Mapping[str, object], prefix: str) -> Any:
        hints = type_hints(cls, include_extras=True)
        known = {field.name: field for field in fields(cls)}
        self.faults += [f"{prefix}{name}: no such setting" for name in given if name not in known]
        missing = [
            f"{prefix}{name}: must be given"
            for name, field in known.items()
            if name not in given and _default(field) is MISSING
        ]
        self.faults += missing
        before = len(self.faults)
        values = {
            name: self.value(hints[name], given[name], prefix + name)
            for name in known
            if name in given
        }
        if missing or len(self.faults) > before:
            return None
        try:
            return cls(**values)
        except ValueError as error:  # of __post_init__: what two settings say about each other
            self.faults.append(f"{prefix.rstrip('.') or 'settings'}: {error}")
            return None

    def value(self, hint: Any, given: object, name: str) -> Any:
        kind = _plain(hint)
        if is_dataclass(kind):
            if isinstance(given, Mapping):
                return self.table(kind, given, f"{name}.")
            self.faults.append(f"{name}: is a table")
            return None
        if get_origin(kind) is tuple:
            return self.sequence(get_args(kind)[0], given, name)
        try:
            value = _CONVERT[_family(kind)](self._base, kind, given)
            _check_limits(hint, value)
        except ValueError as error:
            self.faults.append(f"{name}: {error}")
            return None
        return value

    def sequence(self, kind: Any, given: object, name: str) -> tuple[Any, ...]:
        if not isinstance(given, list | tuple):
            self.faults.append(f"{name}: is a list")
            return ()
        return tuple(
            self.value(kind, each, f"{name}[{number}]") for number, each in enumerate(given)
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise HomeportError(Code.FILE_MISSING, str(path)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise HomeportError(Code.SETTING_WRONG, f"{path}: {error}") from None


def _lay(table: dict[str, Any], names: list[str], value: object) -> None:
    for name in names[:-1]:
        below = table.setdefault(name, {})
        if not isinstance(below, dict):
            return  # The file says that the table is a value; reading it reports that.
        table = below
    table[names[-1]] = value


def _plain(hint: Any) -> Any:
    """The type without Annotated and without None."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (types.UnionType, Union):
        return _plain(next(each for each in get_args(hint) if each is not type(None)))
    return hint


def _check_limits(hint: Any, value: Any) -> None:
    for part in (hint, *get_args(hint)):
        for limits in getattr(part, "__metadata__", ()):
            if isinstance(limits, Between) and not limits.minimum <= value <= limits.maximum:
                between = f"{_as_toml(limits.minimum)} to {_as_toml(limits.maximum)}"
                raise ValueError(f"{_as_toml(value)} is outside of {between}")


def _family(kind: Any) -> type:
    return StrEnum if issubclass(kind, StrEnum) else kind


def _text(_base: Path, _kind: Any, given: object) -> str:
    if not isinstance(given, str):
        raise _UnfitError("is text")
    return given


def _whole(_base: Path, _kind: Any, given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise _UnfitError("is a whole number")
    return given


def _number(_base: Path, _kind: Any, given: object) -> float:
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise _UnfitError("is a number")
    return float(given)


def _truth(_base: Path, _kind: Any, given: object) -> bool:
    if not isinstance(given, bool):
        raise _UnfitError("is true or false")
    return given


def _path(base: Path, _kind: Any, given: object) -> Path:
    if isinstance(given, Path):
        return given  # From the command line: relative to where that was typed.
    if not isinstance(given, str) or not given or "\0" in given:
        raise _UnfitError("is a path")
    return base / given


def _duration(_base: Path, _kind: Any, given: object) -> timedelta:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str):
        raise _UnfitError('is a duration in quotes, like "90s"')
    return parse_duration(given)


def _choice(_base: Path, kind: Any, given: object) -> StrEnum:
    try:
        chosen: StrEnum = kind(given)
    except ValueError:
        raise _UnfitError(f"is one of {', '.join(kind)}") from None
    return chosen


_CONVERT: Final[Mapping[type, Callable[[Path, Any, object], Any]]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _truth,
    Path: _path,
    timedelta: _duration,
    StrEnum: _choice,
}


def _default(field: "Field[Any]") -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _type_name(hint: Any) -> str:
    kind = _plain(hint)
    if get_origin(kind) is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    if issubclass(kind, StrEnum):
        return " or ".join(f'"{choice}"' for choice in kind)
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(kind, "path" if kind is Path else "duration")


def _as_toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return f'"{write_duration(value)}"'
        case int() | float():
            return str(value)
        case tuple():
            return f"[{', '.join(map(_as_toml, value))}]"
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'


def _docstrings(cls: type) -> Mapping[str, str]:
    """The text literal below each field; Python does not keep it, so it is read from the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, below in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value if isinstance(below, ast.Expr) else None
            literal = text.value if isinstance(text, ast.Constant) else ""
            found[field.target.id] = inspect.cleandoc(str(literal))
    return found
