# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""A recipe: how one request is made, and what must come of it.

The function's name is the vector's, its docstring the description.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from homeport.errors import Code
from tools.vectors_native.draft import Draft
from tools.vectors_native.registered import Registered
from tools.vectors_native.scene import Scene

Kind = Literal["enrol", "renew"]
Made = Draft | bytes | Registered
"""A request that is proven, one that is not, one that the registry decides about."""
Refusable = TypeVar("Refusable", bytes, Registered)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One vector to be."""

    name: str
    description: str
    section: str
    """Of docs/protocols/native.md."""
    kind: Kind
    code: Code | None
    """Why it is refused; None: it is proven."""
    is_live: bool
    """Whether it can be played against a running platform, whose time nobody turns."""
    make: Callable[[Scene], Made]


class Recipes:
    """A collection; its methods decorate the functions that make requests."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: list[Recipe] = []

    def refused(
        self, code: Code, section: str, *, kind: Kind = "enrol", live: bool = True
    ) -> Callable[[Callable[[Scene], Refusable]], Callable[[Scene], Refusable]]:
        """Take the code that the request must be refused with."""

        def add(make: Callable[[Scene], Refusable]) -> Callable[[Scene], Refusable]:
            self._add(make, section, kind, code, live)
            return make

        return add

    def proven(
        self, section: str, *, kind: Kind = "enrol", live: bool = True
    ) -> Callable[[Callable[[Scene], Draft]], Callable[[Scene], Draft]]:
        """Take a request that must be proven."""

        def add(make: Callable[[Scene], Draft]) -> Callable[[Scene], Draft]:
            self._add(make, section, kind, None, live)
            return make

        return add

    def _add(
        self,
        make: Callable[[Scene], Made],
        section: str,
        kind: Kind,
        code: Code | None,
        live: bool,  # noqa: FBT001
    ) -> None:
        name = make.__name__.replace("_", "-")
        assert name not in {recipe.name for recipe in self.all}, name
        description = " ".join((make.__doc__ or "").split())
        assert description, name
        self.all.append(
            Recipe(
                name=name,
                description=description,
                section=section,
                kind=kind,
                code=code,
                is_live=live,
                make=make,
            )
        )
