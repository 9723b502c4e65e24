"""A comparison of two numbers of a table of measurements, repeat by repeat."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from l2l.config.claims import Measured
from l2l.config.measurements import IMPLEMENTATIONS
from l2l.errors import UserError
from l2l.evaluation.statistics import Effect, jackknife_difference, relative_difference


def measured_effect(measured: Measured, table: pd.DataFrame) -> tuple[str, Effect]:
    """Compare the two selections of a table.

    Args:
        measured: which rows, which column, and what pairs them.
        table: tidy.

    Returns:
        What selects the rows besides the two things compared, in words; and the relative difference
        of the means, of / against - 1, with its interval over the repeats (a jackknife's, if each
        value leaves one repeat out). `problems` is the number of repeats.

    Raises:
        UserError: rows are missing, stand there twice or are not paired, or a value is negative.
    """
    ours = _values(measured, measured.of, table)
    theirs = _values(measured, measured.against, table)
    if not ours.index.equals(theirs.index):
        raise UserError(
            f"table {measured.table}: the rows of {measured.name} and {measured.baseline} have "
            f"different values of {measured.pair}; measure anew"
        )
    conditions = _conditions(measured)
    condition = "; ".join(filter(None, (", ".join(conditions), measured.note)))
    if measured.interval == "jackknife":
        return condition, jackknife_difference(ours.to_numpy(), theirs.to_numpy())
    what = ", ".join([_words(measured.value.removesuffix("_left_out")), *conditions])
    note = f"; {measured.note}" if measured.note else ""
    name = f"{measured.table}/{measured.name} vs {measured.baseline}: {what}{note}"
    return condition, relative_difference(ours.to_numpy()[None], theirs.to_numpy()[None], name)


def _conditions(measured: Measured) -> list[str]:
    """What holds on both sides, and what differs besides the two things that are compared."""
    told = []
    for column, value in measured.of.items():
        other = measured.against.get(column)
        if other == value:
            if (column, value) != ("implementation", IMPLEMENTATIONS[0]):  # nothing special
                told.append(f"{_words(column)} {_words(value)}")
        elif column == "implementation":
            told.append(f"{_words(column)} {value} against {other}")
    return told


def _words(value: str | int | float) -> str:
    return str(value).replace("_", " ")


def _values(
    measured: Measured, selected: Mapping[str, str | int | float], table: pd.DataFrame
) -> pd.Series:
    """The values of the selected rows, by what pairs them."""
    rows = table
    for column, value in selected.items():
        rows = rows[rows[column] == value]
    told = ", ".join(f"{column} = {value}" for column, value in selected.items())
    if rows.empty:
        raise UserError(f"table {measured.table} has no rows with {told}; measure anew")
    values = rows.set_index(measured.pair)[measured.value].sort_index()
    if not values.index.is_unique:
        raise UserError(
            f"table {measured.table} has several rows with {told} for a value of {measured.pair}: "
            "say more in the claim"
        )
    if (values < 0).any():
        raise UserError(
            f"table {measured.table}: {measured.value} is negative, and has no relative difference"
        )
    return values
