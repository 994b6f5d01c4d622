# SPDX-License-Identifier: Apache-2.0
"""JSON merge patch (RFC 7396), and its inverse: the patch that leads from one document to another.

In such documents null means "not there": none of ours holds one as a member's value.
"""

from collections.abc import Mapping
from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Return the target changed by the patch (RFC 7396 section 2); neither is altered."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch for which `merge(old, patch) == new`; empty if nothing differs."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        held = old.get(name)
        if isinstance(value, Mapping) and isinstance(held, Mapping):
            if inner := difference(held, value):
                patch[name] = inner
        elif name not in old or not is_same(held, value):
            patch[name] = value
    return patch


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; Python alone would take `true` for 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(is_same(left, right) for left, right in pairs)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
