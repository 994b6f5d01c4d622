# SPDX-License-Identifier: Apache-2.0
"""What all documents of the people's door have in common, and the kinds of text in them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from homeport.domain.tenant import NAME, check_name
from homeport.errors import MalformedError

NAME_PATTERN: Final = f"^{NAME.pattern}$"

TITLE_MAX: Final = 200
"""Characters of what people write on one line."""


_JOINERS: Final = {0x200C: None, 0x200D: None}
"""Without them some scripts cannot be written, nor can many emoji; alone they do nothing."""


def _printable(text: str) -> str:
    """Refuse control characters: what is stored comes back on somebody's terminal."""
    if not text.translate(_JOINERS).isprintable():
        raise ValueError("has characters that do not print")
    return text


def _name(text: str) -> str:
    try:
        return check_name(text, "name")
    except MalformedError as error:
        raise ValueError(error.detail) from None


Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": NAME_PATTERN, "maxLength": 40}),
]
"""Of a tenant or an upstream: 1 to 40 of a-z, 0-9 and -, not at the ends."""

Title = Annotated[str, StringConstraints(max_length=TITLE_MAX), AfterValidator(_printable)]
"""One line that people write."""


def fault_of(error: Mapping[str, Any]) -> str:
    """Say which field is wrong, and why; `error` is one of a ValidationError's."""
    where = ".".join(str(part)[:60] for part in error["loc"])
    return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"


class Document(BaseModel):
    """A document of the people's door."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_unicode(cls, value: object) -> object:
        r"""Refuse half a character: JSON can write "\ud800", but nothing can hash or keep it."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("is not Unicode") from None
        return value


Item = TypeVar("Item")


class Page(Document, Generic[Item]):
    """Some of a list, in order."""

    # Docstrings of attributes are not found in a class that is made from this one.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[Item]
    next: str | None = Field(description="Give it as `after` to go on; null: this was the end.")


class Problem(Document):
    """A refusal (RFC 9457)."""

    type: str
    """`urn:homeport:error:` and the code."""
    title: str
    """What went wrong, in a sentence."""
    status: int
    code: str
    """Stable; docs/reference/errors.md has them all."""
    advice: str
    """What to do next."""
    detail: str = ""
    """The particulars of this case."""
    retry_after: int | None = None
    """Seconds after which it may work."""
