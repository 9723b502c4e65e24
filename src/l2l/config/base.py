"""The base of every section of the configuration: frozen, finite, and strict about unknown keys."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A section of the configuration. Unknown keys are errors that name the allowed ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_keys_and_booleans(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        allowed = list(cls.model_fields)
        for key, value in data.items():
            if isinstance(value, bool):  # pydantic would take it for 0 or 1
                raise PydanticCustomError(
                    "boolean",
                    "{key} = {value}: expected a number or text, not true or false",
                    {"key": str(key), "value": str(value).lower()},
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
