# SPDX-License-Identifier: Apache-2.0
"""One kind of import-linter contract: what belongs to some rooms is imported by no other.

import-linter's own `protected` contract refuses names that are not in the graph, so a package that
nobody imports yet, or a room that is still to come, would break it. Here they are passed over.
"""

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.imports import ModuleExpression


class OwnedContract(ProtectedContract):
    """`protected_modules` are imported directly by `allowed_importers` and nobody else."""

    type_name = "owned"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 (theirs)
        """Return the direct imports that are against the contract."""
        for name in ("protected_modules", "allowed_importers"):
            setattr(self, name, _present(getattr(self, name), graph))
        return super().check(graph, verbose)


def _present(expressions: list[ModuleExpression], graph: ImportGraph) -> list[ModuleExpression]:
    return [
        expression
        for expression in expressions
        if expression.has_wildcard_expression() or expression.expression in graph.modules
    ]
