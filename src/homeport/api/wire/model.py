# SPDX-License-Identifier: Apache-2.0
"""What all documents of the people's door have in common, and the kinds of text in them."""

from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from homeport.domain.tenant import NAME

NAME_PATTERN: Final = f"^{NAME.pattern}$"

TITLE_MAX: Final = 200
"""Characters of what people write on one line."""


def _printable(text: str) -> str:
    """Refuse control characters: what is stored comes back on somebody's terminal."""
    if not text.isprintable():
        raise ValueError("has characters that do not print")
    return text


Name = Annotated[str, StringConstraints(max_length=40, pattern=NAME_PATTERN)]
"""Of a tenant or an upstream: 1 to 40 of a-z, 0-9 and -, not at the ends."""

Title = Annotated[str, StringConstraints(max_length=TITLE_MAX), AfterValidator(_printable)]
"""One line that people write."""


class Document(BaseModel):
    """A document of the people's door."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
