"""What all sections of the configuration share: frozen, finite, strict; and the common types."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.errors import did_you_mean

LARGEST = 10**9  # more is a slip, and fits into no array
Whole = Annotated[int, Field(le=LARGEST)]
Count = Annotated[Whole, Field(ge=1)]
Natural = Annotated[Whole, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Layers = Annotated[int, Field(ge=1, le=8)]
Units = Annotated[int, Field(ge=1, le=512)]
UpperUnits = Annotated[int, Field(ge=0, le=512)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

SECTIONS = ("problems", "recipes", "experiments", "measurements", "claims")
"""The sections that have named entries; a study's file may have each of them."""
MISTAKE = "mistake"
"""The type of the errors that `mistake` makes."""


def mistake(message: str) -> PydanticCustomError:
    """An error for a validator to raise, with a message that names the key and the value."""
    return PydanticCustomError(MISTAKE, message)


class Section(BaseModel):
    """A section of the configuration. An unknown key is an error that lists the allowed ones.

    The string below a field says what the field means: see `meanings`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_keys_and_booleans(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        for key, value in data.items():
            for place, item in _items(key, value):
                if isinstance(item, bool):  # pydantic would take it for 0 or 1
                    raise mistake(
                        f"{place} = {str(item).lower()}: expected a number or text, not true or "
                        "false"
                    )
            if key not in cls.model_fields:
                raise mistake(
                    f"unknown key '{key}'{did_you_mean(key, cls.model_fields)}; allowed are: "
                    f"{', '.join(cls.model_fields)}"
                )
        return data


def _items(key: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The value, or the items of a list, each with its key."""
    if isinstance(value, list | tuple):
        yield from ((f"{key}.{index}", item) for index, item in enumerate(value))
    else:
        yield str(key), value


@cache
def meanings(section: type[BaseModel]) -> dict[str, str]:
    """What the keys of a section mean: the string below a field, or the field's description.

    Pydantic would read the same strings whenever a process starts (`use_attribute_docstrings`),
    which takes a tenth of what Snakemake does when there is nothing to do.
    """
    said: dict[str, str] = {}
    for one in reversed(section.__mro__):
        if issubclass(one, Section):
            (tree,) = ast.parse(dedent(inspect.getsource(one))).body
            assert isinstance(tree, ast.ClassDef)
            for entry, below in pairwise(tree.body):
                match entry, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=key)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        said[key] = " ".join(text.split())
    described = {key: field.description for key, field in section.model_fields.items()}
    return said | {key: text for key, text in described.items() if text}


class Range(Section):
    """From low to high."""

    low: Positive
    """The lower end."""
    high: Positive
    """The upper end."""

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise mistake(
                f"low = {self.low} is above high = {self.high}; low must not be above high"
            )
        return self
