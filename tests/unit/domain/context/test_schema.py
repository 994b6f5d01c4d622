# SPDX-License-Identifier: Apache-2.0
"""What we check of JSON Schema means here what it means elsewhere: `jsonschema` is asked too."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.context.schema import (
    Misfit,
    check_model,
    check_schema,
    misfits,
    refuse_new_misfits,
)
from homeport.errors import Code, MalformedError

PUMP = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Pump",
    "required": ["floor"],
    "additionalProperties": False,
    "properties": {
        "floor": {"type": "integer", "minimum": -2, "maximum": 40},
        "medium": {"type": "string", "enum": ["water", "oil"], "default": "water"},
        "speed": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100.5},
        "outdoor": {"type": "boolean"},
        "label": {"type": "string", "minLength": 1, "maxLength": 3, "description": "on it"},
        "phases": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
            "items": {"type": "string", "maxLength": 2},
        },
        "fixed": {"type": "integer", "const": 7},
    },
}


def one(kind, **rules):
    return {"type": "object", "properties": {"a": {"type": kind, **rules}}}


COUNTS = st.integers(0, 3)
NUMBERS = st.integers(-3, 3) | st.floats(-3, 3)
VALUES = (
    st.booleans()
    | NUMBERS
    | st.text("ab1", max_size=4)
    | st.lists(NUMBERS | st.booleans(), max_size=4)
)
OF_KIND: dict[str, dict[str, Any]] = {
    "string": {"minLength": COUNTS, "maxLength": COUNTS},
    "integer": dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS
    ),
    "number": dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS
    ),
    "boolean": {},
    "array": {"minItems": COUNTS, "maxItems": COUNTS, "uniqueItems": st.booleans()},
}


@st.composite
def rules_of_a_property(draw, kinds=tuple(OF_KIND)):
    kind = draw(st.sampled_from(kinds))
    optional = {**OF_KIND[kind], "enum": st.lists(VALUES, min_size=1, max_size=3), "const": VALUES}
    rules = draw(st.fixed_dictionaries({"type": st.just(kind)}, optional=optional))
    if kind == "array":
        rules["items"] = draw(rules_of_a_property(kinds=("string", "integer", "number", "boolean")))
    return rules


SCHEMAS = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(st.sampled_from("abc"), rules_of_a_property(), max_size=3),
    },
    optional={
        "required": st.lists(st.sampled_from("abcd"), unique=True),
        "additionalProperties": st.booleans(),
    },
)
ATTRIBUTES = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(SCHEMAS, ATTRIBUTES)
def test_another_implementation_agrees(schema, attributes):
    check_schema(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    others = not jsonschema.Draft202012Validator(schema).is_valid(attributes)
    assert bool(misfits(schema, attributes)) == others


def test_every_misfit_is_named_with_its_reason():
    wrong = {
        "medium": "wine", "speed": 0, "outdoor": 1, "label": "", "phases": ["L1", "L1", "long"],
        "fixed": True, "colour": "red",
    }  # fmt: skip
    assert misfits(check_schema(PUMP), wrong) == [
        Misfit("colour", "is not in the schema"),
        Misfit("fixed", "is no integer"),
        Misfit("floor", "is required"),
        Misfit("label", "is shorter than 1 characters"),
        Misfit("medium", "is none of the allowed values"),
        Misfit("outdoor", "is no boolean"),
        Misfit("phases", "repeats an item"),
        Misfit("phases", "[2] is longer than 2 characters"),
        Misfit("speed", "is not more than 0"),
    ]
    assert misfits(PUMP, {"floor": 1.0, "medium": "oil", "speed": 100.4, "phases": ["L1"]}) == []


def test_a_change_is_refused_only_for_what_it_does_itself():
    old = {"colour": "red", "medium": "wine"}
    refuse_new_misfits(PUMP, old, {**old, "outdoor": True})
    refuse_new_misfits(PUMP, old, {"medium": "wine"})
    for new in ({**old, "medium": "beer"}, {**old, "size": 1}, {**old, "floor": 99}):
        with pytest.raises(MalformedError) as refused:
            refuse_new_misfits(PUMP, old, new)
        assert refused.value.code is Code.ATTRIBUTE_MISFIT
    with pytest.raises(MalformedError, match="floor"):
        refuse_new_misfits(PUMP, {"floor": 1}, {})


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        {},
        {"type": "array"},
        {"type": "object", "$ref": "http://169.254.169.254/"},
        {"type": "object", "patternProperties": {"(a+)+$": {"type": "string"}}},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {f"p{n}": {"type": "boolean"} for n in range(201)}},
        {"type": "object", "required": "floor"},
        {"type": "object", "required": ["a", "a"]},
        {"type": "object", "required": [["a"]]},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "title": "x" * 20_000},
        one("object"),
        one(["string", "null"]),
        one(None),
        one("string", pattern="(a+)+$"),
        one("string", format="date"),
        one("string", minimum=1),
        one("integer", minimum="1"),
        one("integer", minimum=True),
        one("string", minLength=-1),
        one("string", minLength=1.5),
        one("string", enum=[]),
        one("string", enum="abc"),
        one("array"),
        one("array", items={"type": "array", "items": {"type": "string"}}),
        one("array", items={"type": "string"}, uniqueItems=1),
    ],
)
def test_what_would_not_be_checked_is_refused(schema):
    with pytest.raises(MalformedError):
        check_schema(schema)


def test_a_model_has_a_name():
    assert check_model("EX-100 ä") == "EX-100 ä"
    for wrong in ("", " x", "x\n", "x" * 65, "\u202e"):
        with pytest.raises(MalformedError):
            check_model(wrong)
