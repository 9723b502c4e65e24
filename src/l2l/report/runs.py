"""Tables of how a run went: settings, meta-trainings, trials of the learning rate."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel

from l2l.config import Config
from l2l.config.base import meanings
from l2l.figures.style import display_name
from l2l.report.table import (
    COUNT,
    DURATION,
    LONG_WORDS,
    NUMBER,
    SETTING,
    Format,
    Table,
    number,
)


def settings(caption: str, entries: Mapping[str, BaseModel]) -> list[Table]:
    """The settings of things of one kind, each key with its meaning from the schema.

    Args:
        caption: what they are.
        entries: name -> settings.

    Returns:
        A table of the keys with different values and one of those with the same value; one table
        for one entry.
    """
    meanings: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for name, entry in entries.items():
        for key, value, meaning in _leaves(entry, ""):
            meanings.setdefault(key, meaning)
            values.setdefault(key, {})[name] = value
    different, same = [], []
    for key, meaning in meanings.items():
        each = [values[key].get(name) for name in entries]
        if len({*each}) == 1:
            same.append({"key": key, "value": each[0], "meaning": meaning})
        else:
            row = dict(zip(entries, each, strict=True))
            different.append({"key": key, **row, "meaning": meaning})
    tables = []
    if different:
        tables.append(Table.of(f"{caption}: what differs", different, {"meaning": LONG_WORDS}))
    if same:
        what = f"{caption}: what all have in common" if len(entries) > 1 else caption
        tables.append(Table.of(what, same, {"value": LONG_WORDS, "meaning": LONG_WORDS}))
    return tables


def _leaves(section: BaseModel, path: str) -> Iterator[tuple[str, str, str]]:
    """(dotted key, value, meaning) of every setting of a section and of the sections within."""
    said = meanings(type(section))
    for key in type(section).model_fields:
        about = (type(section).__doc__ or "").partition("\n")[0]
        meaning = about if key == "kind" else said[key]  # a kind stands for the section
        meaning = meaning.replace("`", "")  # cells are no Markdown
        yield from _leaves_of(getattr(section, key), f"{path}{key}", meaning)


def _leaves_of(value: Any, path: str, meaning: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, BaseModel):
        yield from _leaves(value, f"{path}.")
    elif isinstance(value, tuple) and any(isinstance(part, BaseModel) for part in value):
        for place, part in enumerate(value):
            yield from _leaves_of(part, f"{path}.{place}", meaning)
    elif isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves_of(part, f"{path}.{name}", meaning)
    elif isinstance(value, tuple):
        yield path, ", ".join(map(str, value)) or "none", meaning
    else:
        text = value if isinstance(value, str) else "none" if value is None else json.dumps(value)
        yield path, text, meaning


def meta_trainings(runs: pd.DataFrame, config: Config) -> Table:
    """All meta-trainings, a row each, from rows of results/<run>/training/runs.csv."""
    rows = [
        {
            "learned optimizer": display_name(str(run["recipe"]), config.labels()),
            "recipe": str(run["recipe"]),
            "meta-seed": run["meta_seed"],
            "validation loss": run["best_validation"],
            "selected": "✔ best" if run["selected"] else "",
            "best episode": f"{run['best_episode']} of {run['episodes']}",
            "attempts": run["attempts"],
            "collapsed": run["collapsed"] or "none",
            "meta learning rate": run["meta_learning_rate"],
            "time": run["seconds"],
        }
        for run in runs.to_dict("records")
    ]
    formats = {
        "meta-seed": COUNT,
        "validation loss": NUMBER,
        "best episode": Format(),
        "attempts": COUNT,
        "collapsed": LONG_WORDS,
        "meta learning rate": SETTING,
        "time": DURATION,
    }
    return Table.of("The meta-trainings", rows, formats)


def trials(search: Mapping[str, Any], caption: str) -> Table:
    """The random search of a recipe's meta learning rate (see `Results.search`), highest first."""
    rows = [
        {
            "meta learning rate": trial["meta_learning_rate"],
            "validation loss": math.nan if trial["validation"] is None else trial["validation"],
            "chosen": "✔" if trial["meta_learning_rate"] == search["meta_learning_rate"] else "",
        }
        for trial in sorted(search["trials"], key=lambda trial: -trial["meta_learning_rate"])
    ]
    failed = Format(lambda loss: "failed" if math.isnan(loss) else number(loss))
    return Table.of(caption, rows, {"meta learning rate": SETTING, "validation loss": failed})
