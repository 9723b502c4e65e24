"""What all sections of the configuration share: frozen, finite, strict; and the common types."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MISTAKE = "mistake"
"""The type of the errors that `mistake` makes."""
LARGEST = 10**9  # more is a slip, and fits into no array
Whole = Annotated[int, Field(le=LARGEST)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[Whole, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def mistake(message: str) -> PydanticCustomError:
    """An error of a validator whose message names the key and the value itself."""
    return PydanticCustomError(MISTAKE, message)


class Section(BaseModel):
    """A section of the configuration. Unknown keys are errors that name the allowed ones."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_keys_and_booleans(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        allowed = list(cls.model_fields)
        for key, value in data.items():
            for place, item in _items(key, value):
                if isinstance(item, bool):  # pydantic would take it for 0 or 1
                    raise PydanticCustomError(
                        "boolean",
                        "{key} = {value}: expected a number or text, not true or false",
                        {"key": place, "value": str(item).lower()},
                    )
            if key not in allowed:
                close = difflib.get_close_matches(str(key), allowed, n=1)
                hint = f" (did you mean '{close[0]}'?)" if close else ""
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key '{key}'{hint}; allowed are: {allowed}",
                    {"key": str(key), "hint": hint, "allowed": ", ".join(allowed)},
                )
        return data


def _items(key: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """A value, or those of a list, by the key that a message names."""
    if isinstance(value, list | tuple):
        yield from ((f"{key}.{index}", item) for index, item in enumerate(value))
    else:
        yield str(key), value


class Range(Section):
    """From low to high."""

    low: Annotated[Positive, Field(description="The lower end.")]
    high: Annotated[Positive, Field(description="The upper end.")]

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise PydanticCustomError(
                "order",
                "low = {low} is above high = {high}; low must not be above high",
                {"low": self.low, "high": self.high},
            )
        return self
