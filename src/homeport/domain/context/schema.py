# SPDX-License-Identifier: Apache-2.0
"""What a tenant expects of the attributes of one model, as a part of JSON Schema 2020-12.

A schema is an object with `properties`; each property has one `type`. Every keyword that we know
means here what it means there (a test compares us with another implementation); a keyword that we
do not know is refused, because it would not be checked. No `$ref` (it would fetch), no `pattern`
(a tenant's regular expression could hold up everybody's platform).

A schema never makes stored values unreadable. What no longer fits is shown (`misfits`); a change is
refused only for what it brings or takes away itself.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeport.domain.context.document import Document, check_document
from homeport.domain.context.merge_patch import is_same
from homeport.errors import Code, MalformedError

SCHEMA_MAX: Final = 16_384
"""Octets."""
PROPERTIES_MAX: Final = 200
MODEL_MAX: Final = 64
"""Characters, as devices say it."""
TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array"})
_ANNOTATIONS: Final = frozenset({"title", "description", "default", "examples", "deprecated"})
"""Said for people; they check nothing, here as there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSchema:
    """One version of a tenant's schema for a model."""

    tenant: str
    model: str
    version: int
    """Grows by one with each change."""
    document: Document
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """An attribute that does not fit, and why."""

    attribute: str
    reason: str


def check_schema(document: object) -> Document:
    """Return the schema if we understand every word of it, else MalformedError."""
    schema = check_document(document, "the schema", SCHEMA_MAX)
    _only(schema, "the schema", _OF_OBJECT)
    if schema.get("type") != "object":
        raise MalformedError("the schema of attributes has type object", Code.SCHEMA_MALFORMED)
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping) or len(properties) > PROPERTIES_MAX:
        raise _wrong("properties", f"an object of at most {PROPERTIES_MAX}")
    for name, rules in properties.items():
        _check_rules(rules, f"property {name!r}", TYPES)
    required = schema.get("required", [])
    if not _is_list_of(required, str) or len(set(required)) != len(required):
        raise _wrong("required", "a list of different names")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise _wrong("additionalProperties", "true or false")
    return schema


def check_model(model: str) -> str:
    """Return the name of a model, or MalformedError."""
    if not 0 < len(model) <= MODEL_MAX or not model.isprintable() or model != model.strip():
        raise MalformedError(f"a model's name has 1 to {MODEL_MAX} printable characters")
    return model


def misfits(schema: Document, attributes: Document) -> list[Misfit]:
    """Return everything that does not fit, by attribute."""
    properties: Mapping[str, Document] = schema.get("properties", {})
    found = [
        Misfit(name, "is required") for name in schema.get("required", []) if name not in attributes
    ]
    for name, value in attributes.items():
        if name in properties:
            found += (Misfit(name, reason) for reason in _faults(properties[name], value))
        elif not schema.get("additionalProperties", True):
            found.append(Misfit(name, "is not in the schema"))
    return sorted(found, key=lambda misfit: misfit.attribute)


def refuse_new_misfits(schema: Document, old: Document, new: Document) -> None:
    """Refuse a change for what it brings or takes away itself, not for what was there before."""
    touched = {
        name
        for name in old.keys() | new.keys()
        if name not in old or name not in new or not is_same(old[name], new[name])
    }
    wrong = [misfit for misfit in misfits(schema, new) if misfit.attribute in touched]
    if wrong:
        said = "; ".join(f"{misfit.attribute[:60]!r} {misfit.reason}" for misfit in wrong[:5])
        raise MalformedError(said, Code.ATTRIBUTE_MISFIT)


def _faults(rules: Document, value: Any) -> Iterator[str]:
    kind = rules["type"]
    if not _IS[kind](value):
        yield f"is no {kind}"
        return
    if "enum" in rules and not any(is_same(value, allowed) for allowed in rules["enum"]):
        yield "is none of the allowed values"
    if "const" in rules and not is_same(value, rules["const"]):
        yield "is not the one allowed value"
    for keyword, (breaks, words) in _BOUNDS[kind].items():
        if keyword in rules and breaks(value, rules[keyword]):
            yield words.format(rules[keyword])
    if kind == "array":
        for position, each in enumerate(value):
            yield from (f"[{position}] {reason}" for reason in _faults(rules["items"], each))


def _check_rules(rules: object, what: str, types: frozenset[str]) -> None:
    kind = rules.get("type") if isinstance(rules, Mapping) else None
    if not isinstance(rules, Mapping) or not isinstance(kind, str) or kind not in types:
        raise _wrong(what, f"an object with one type of {', '.join(sorted(types))}")
    bounds = _BOUNDS[kind]
    _only(rules, what, frozenset({"type", "enum", "const", *bounds, *_ITEMS.get(kind, ())}))
    for keyword in bounds.keys() & rules.keys():
        _check_bound(rules[keyword], f"{keyword} of {what}", keyword)
    allowed = rules.get("enum", [None])
    if not isinstance(allowed, Sequence) or isinstance(allowed, str) or not allowed:
        raise _wrong(f"enum of {what}", "a list with something in it")
    if kind == "array":
        _check_rules(rules.get("items"), f"items of {what}", TYPES - {"array"})


def _check_bound(bound: object, what: str, keyword: str) -> None:
    if keyword in _FLAGS:
        if not isinstance(bound, bool):
            raise _wrong(what, "true or false")
    elif keyword in _COUNTS:
        if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
            raise _wrong(what, "a whole number from 0")
    elif not _is_number(bound):
        raise _wrong(what, "a number")


def _only(document: Mapping[str, Any], what: str, known: frozenset[str]) -> None:
    if unknown := document.keys() - known - _ANNOTATIONS:
        words = ", ".join(sorted(repr(word)[:60] for word in unknown))
        raise _wrong(what, f"without {words}, which would not be checked")


def _wrong(what: str, expected: str) -> MalformedError:
    return MalformedError(f"{what[:200]} should be {expected}", Code.SCHEMA_MALFORMED)


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, kind) for each in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    """JSON Schema 2020-12 section 6.1.1 by way of validation: 1.0 is an integer."""
    return _is_number(value) and value == int(value)


_OF_OBJECT: Final = frozenset({"$schema", "type", "properties", "required", "additionalProperties"})
_IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list | tuple),
}
_Bound = tuple[Callable[[Any, Any], bool], str]
_OF_NUMBERS: Final[Mapping[str, _Bound]] = {
    "minimum": (lambda value, bound: value < bound, "is less than {}"),
    "maximum": (lambda value, bound: value > bound, "is more than {}"),
    "exclusiveMinimum": (lambda value, bound: value <= bound, "is not more than {}"),
    "exclusiveMaximum": (lambda value, bound: value >= bound, "is not less than {}"),
}
_BOUNDS: Final[Mapping[str, Mapping[str, _Bound]]] = {
    "string": {
        "minLength": (lambda value, bound: len(value) < bound, "is shorter than {} characters"),
        "maxLength": (lambda value, bound: len(value) > bound, "is longer than {} characters"),
    },
    "integer": _OF_NUMBERS,
    "number": _OF_NUMBERS,
    "boolean": {},
    "array": {
        "minItems": (lambda value, bound: len(value) < bound, "has fewer than {} items"),
        "maxItems": (lambda value, bound: len(value) > bound, "has more than {} items"),
        "uniqueItems": (lambda value, bound: bound and _repeats(value), "repeats an item"),
    },
}
"""Sections 6.2 to 6.4 of JSON Schema Validation, 2020-12."""
_COUNTS: Final = frozenset({"minLength", "maxLength", "minItems", "maxItems"})
_FLAGS: Final = frozenset({"uniqueItems"})
_ITEMS: Final[Mapping[str, frozenset[str]]] = {"array": frozenset({"items"})}


def _repeats(values: Sequence[Any]) -> bool:
    """Whether two are the same; in one pass, for a list may be long. What is no scalar misfits."""
    scalars = [value for value in values if isinstance(value, str | int | float)]
    return len({(isinstance(value, bool), value) for value in scalars}) < len(scalars)
