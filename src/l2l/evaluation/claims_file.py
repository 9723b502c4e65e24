"""What `config/claims.yaml` may say: the claims, and what is compared to judge each of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Name, Section
from l2l.errors import UserError
from l2l.evaluation.metrics import Metric

TUNED = "tuned"
"""As `baselines`: every hand-crafted optimizer that the experiment has."""
NOT_YET_RUN = "not yet run"
"""The verdict on a claim that nothing of a run can judge."""
MEASUREMENT = "measurement"
"""Before a table's name, as the data of a comparison in the table of claims."""


class Comparison(Section):
    """Each recipe in `learned` against each of `baselines`, in each of `metrics`.

    Attributes:
        experiment: whose curves are read.
        learned: optimizer keys; each gets a verdict of its own.
        baselines: "tuned", or optimizer keys, hand-crafted or learned.
        claimed: whether the learned value is said to be lower or higher than the baseline's.
        metrics: see `l2l.evaluation.metrics`.
        allowance: of the relative difference: with 0.1, "lower" means "at most 10 % higher", for
            claims that something makes little difference.
    """

    experiment: str
    learned: tuple[str, ...] = Field(min_length=1)
    baselines: Literal["tuned"] | tuple[str, ...] = Field(min_length=1)
    claimed: Literal["lower", "higher"]
    metrics: tuple[Metric, ...] = Field(min_length=1)
    allowance: float = Field(0.0, ge=0)


class Sizes(Section):
    """The number of weights phi of each recipe in `learned`, over the problems of `experiments`."""

    experiments: tuple[str, ...] = Field(min_length=1)
    learned: tuple[str, ...] = Field(min_length=1)


class Measured(Section):
    """One number of a table of measurements against another, repeat by repeat.

    Attributes:
        table: its name, see `l2l.config.measurements`.
        name: who gets the verdict: an optimizer's key, or another word.
        baseline: what it is compared with, likewise.
        value: the column with the number, which is not negative.
        of: column -> value, of the rows of `name`.
        against: column -> value, of the rows of `baseline`.
        pair: the column whose values pair the rows of both sides, for example "repeat".
        claimed: whether the value of `name` is said to be lower or higher.
        interval: "repeats" where a row's value is that of its repeat alone, "jackknife" where it is
            a statistic of all repeats but its own.
        note: what a reader has to know of it, in a few words.
    """

    table: Name
    name: Name
    baseline: Name
    value: str
    of: dict[str, str | int | float]
    against: dict[str, str | int | float]
    pair: str
    claimed: Literal["lower", "higher"]
    interval: Literal["repeats", "jackknife"] = "repeats"
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it reads."""
        return (self.value, self.pair, *self.of, *self.against)


class Claim(Section):
    """One claim of the paper or of its summary; with nothing to judge it by it is not yet run.

    Attributes:
        claim: its name, C1 and so on.
        statement: what is claimed.
        source: where.
        comparisons: what has to come out lower or higher.
        sizes: where the claim is that phi does not grow with theta.
        measured: what has to come out lower or higher in tables that are not of loss curves.
    """

    claim: str
    statement: str
    source: str
    comparisons: tuple[Comparison, ...]
    sizes: Sizes | None = None
    measured: tuple[Measured, ...] = ()


class _ClaimsFile(Section):
    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _named_once(self) -> _ClaimsFile:
        names = [claim.claim for claim in self.claims]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise PydanticCustomError(
                "twice", "claim {name} has two entries; give it one", {"name": twice[0]}
            )
        return self


def load_claims(path: Path) -> tuple[Claim, ...]:
    """Read and validate claims.yaml.

    Raises:
        UserError: it cannot be read, or an entry is not allowed: one line that names the claim,
            the key, and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the claims {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return _ClaimsFile.model_validate(content).claims
    except ValidationError as error:
        raise UserError(f"{path}: {_one_line(error, content)}") from None


def check_claims(
    claims: Sequence[Claim],
    optimizers: Mapping[str, Collection[str]],
    last_steps: Mapping[str, int],
    several: Collection[str] = (),
    measurements: Mapping[str, Mapping[str, Collection[Any] | None]] | None = None,
) -> None:
    """Check that what is to be compared exists (of the config before a run, of the curves after).

    Args:
        claims: see `load_claims`.
        optimizers: experiment -> the optimizer keys that it has.
        last_steps: experiment -> the last step of its curves.
        several: experiments on several networks, which comparisons cannot tell apart.
        measurements: table -> column -> its values, see `measurement_columns`; not given: not
            checked.

    Raises:
        UserError: a claim names an experiment, an optimizer or a measurement that is not there, or
            steps beyond the end.
    """
    for claim in claims:
        for measured in claim.measured if measurements is not None else ():
            _check_measured(f"claim {claim.claim}: measured", measured, measurements or {})
        for experiment in claim.sizes.experiments if claim.sizes else ():
            _known(f"claim {claim.claim}: sizes.experiments", experiment, optimizers)
            for name in claim.sizes.learned if claim.sizes else ():
                _known(f"claim {claim.claim}: sizes.learned", name, optimizers[experiment])
        for comparison in claim.comparisons:
            experiment = comparison.experiment
            _known(f"claim {claim.claim}: experiment", experiment, optimizers)
            if experiment in several:
                raise UserError(
                    f"claim {claim.claim}: experiment {experiment} has several problems; compare "
                    "on an experiment with one of them"
                )
            for key, names in (
                ("learned", comparison.learned),
                ("baselines", comparison.baselines),
            ):
                for name in names if names != TUNED else ():
                    _known(f"claim {claim.claim}: {key}", name, optimizers[experiment])
            for metric in comparison.metrics:
                if metric.last_step > last_steps[experiment]:
                    raise UserError(
                        f"claim {claim.claim}: {metric.metric} looks at step {metric.last_step}, "
                        f"experiment {experiment} ends at step {last_steps[experiment]}: "
                        f"raise experiments.{experiment}.steps or look at fewer in claims.yaml"
                    )


def _check_measured(
    key: str, measured: Measured, tables: Mapping[str, Mapping[str, Collection[Any] | None]]
) -> None:
    _known(f"{key}.table", measured.table, tables)
    columns = tables[measured.table]
    for column in measured.columns:
        _known(f"{key}: a column of {measured.table}", column, columns)
    if columns[measured.value] is not None:
        raise UserError(f"{key}.value = '{measured.value}': this column does not hold numbers")
    for side, selected in (("of", measured.of), ("against", measured.against)):
        for column, value in selected.items():
            values = columns[column]
            if values is not None and value not in values:
                raise UserError(
                    f"{key}.{side}.{column} = {value!r}: there is none; there are: "
                    f"{', '.join(map(str, values))}"
                )


def _known(key: str, name: str, among: Collection[str]) -> None:
    if name not in among:
        raise UserError(f"{key} = '{name}': there is none; there are: {', '.join(sorted(among))}")


def _one_line(error: ValidationError, content: Any) -> str:
    """The first mistake (pydantic follows one with others that are only its consequences)."""
    errors = [(*_place(entry["loc"], content), entry) for entry in error.errors()]
    claim, key, first = errors[0]
    match first["type"]:
        case "missing":
            return f"{claim}{key} is missing"
        case "union_tag_not_found":
            return f"{claim}{key}.metric is missing"
        case "union_tag_invalid":
            tag, allowed = first["ctx"]["tag"], first["ctx"]["expected_tags"]
            return f"{claim}{key}.metric = '{tag}': allowed are {allowed}"
        case "model_type" | "model_attributes_type":
            found = f"{key + ' = ' if key else ''}{first['input']!r}"
            return f"{claim}{found}: expected 'key: value' lines"
    alternatives = [entry["msg"] for *place, entry in errors if place == [claim, key]]  # of a union
    message = "; or: ".join(alternatives)
    if isinstance(first["input"], dict):  # about the keys of a mapping; the message names them
        return f"{claim}{key + ': ' if key else ''}{message}"
    return f"{claim}{key} = {first['input']!r}: {message}"


def _place(location: tuple[str | int, ...], content: Any) -> tuple[str, str]:
    """("claim C2: ", "comparisons.0.metrics.1.horizon") of a location in the file's content."""
    match location:
        case ("claims", int(index), *rest):
            entry = content["claims"][index]
            number = f"number {index + 1}"
            name = entry.get("claim", number) if isinstance(entry, dict) else number
            return f"claim {name}: ", ".".join(_keys(rest))
        case _:
            return "", ".".join(_keys(location))


def _keys(location: Sequence[str | int]) -> list[str]:
    """Without what pydantic adds for the members of a union: the metric's name, a type."""
    parts = [str(part) for part in location]
    return [
        part
        for index, part in enumerate(parts)
        if not (index >= 2 and parts[index - 2] == "metrics")
        and not re.search(r"\[|^constrained-", part)
    ]
