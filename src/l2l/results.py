"""The tables and figures of a finished run, read for figures, the page and the reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from l2l.config import Config
from l2l.evaluation.claims import describe_data, evaluate_claims, last_fall
from l2l.evaluation.rates import FINAL, read_tuning, tested_at
from l2l.evaluation.verdicts import read_claims
from l2l.run import Run


class Compared(NamedTuple):
    """What some claims compare: names of the configuration, each once."""

    experiments: list[str]
    tunings: list[str]
    recipes: list[str]
    measurements: list[str]


def compared(config: Config, claims: Iterable[str]) -> Compared:
    """The experiments, tunings, meta-trainings and measurements that judge some claims."""
    experiments, recipes, measurements = list[str](), list[str](), list[str]()
    for claim in (config.claims[name] for name in claims):
        for one in claim.comparisons:
            experiments.append(one.experiment)
            recipes += one.learned
            if isinstance(one.baselines, tuple):
                recipes += [name for name in one.baselines if name in config.recipes]
        experiments += claim.sizes.experiments if claim.sizes else ()
        measurements += [one.table for one in claim.measured]
    elsewhere = [config.experiments[name].rates_of for name in experiments]
    tunings = [*experiments, *(name for name in elsewhere if name)]
    return Compared(
        *([*dict.fromkeys(names)] for names in (experiments, tunings, recipes, measurements))
    )


@dataclass(frozen=True)
class Results(Run):
    """What a run left behind. A missing file is a UserError that names the command to make it.

    Example:
        >>> from l2l.config import load_config
        >>> results = Results(load_config("smoke"), root=Path("elsewhere"))
        >>> results.curves("mnist")  # a table, if there has been such a run
        Traceback (most recent call last):
        l2l.errors.UserError: elsewhere/results/smoke/...: run l2l test mnist ...
    """

    def curves(self, experiment: str) -> pd.DataFrame:
        """The tests of all optimizers, baselines at the rates that are the best for the final loss.

        There is one row for each (optimizer, meta_seed, family, problem, step).
        """
        return tested_at(self.tests(experiment), FINAL)

    def tests(self, experiment: str) -> pd.DataFrame:
        """The same with baselines at all their rates, see `l2l.evaluation.rates`."""
        path = self.existing(self.layout.curves(experiment), f"test {experiment}")
        return pd.read_parquet(path)

    def tuning(self, experiment: str) -> pd.DataFrame:
        """All learning rates that were tried for the baselines."""
        path = self.existing(self.layout.tuning(experiment), f"test {experiment}")
        return read_tuning(path)

    def measurement(self, name: str) -> pd.DataFrame:
        """A table that is not of loss curves, see `l2l.config.measurements`."""
        path = self.layout.measurement(name)
        return pd.read_csv(self.existing(path, f"measure {name}"))

    def claims(self) -> pd.DataFrame:
        """Every comparison with its verdict (see `l2l.evaluation.claims`)."""
        return read_claims(self.existing(self.layout.claims, "claims"))

    def judged(self, claims: Collection[str]) -> pd.DataFrame:
        """The same table for some claims, from nothing but the tables that they compare.

        Args:
            claims: their names in the configuration, in order.
        """
        config, names = self.config, compared(self.config, claims)
        return evaluate_claims(
            {name: config.claims[name] for name in claims},
            {name: self.tests(name) for name in names.experiments},
            config.protocol,
            {name: describe_data(self.datasets(name)) for name in names.experiments},
            tunings={name: self.tuning(name) for name in names.tunings},
            runs=self.meta_trainings(names.recipes),
            measurements={name: self.measurement(name) for name in names.measurements},
            studies={c: name for name, study in config.studies.items() for c in study.claims},
        )

    def runs(self) -> pd.DataFrame:
        """All meta-trainings; `collapsed` is an empty string where nothing did, or diverged."""
        table = pd.read_csv(self.existing(self.layout.runs, "runs"))
        return table.assign(collapsed=table["collapsed"].fillna(""))

    def meta_trainings(self, recipes: Iterable[str]) -> pd.DataFrame:
        """The same table for some recipes, from their own files.

        The column `selected` marks the meta-seed of each recipe that validated best; `fall` is by
        how much the best validation fell in the last third, relative.
        """
        keys = ("recipe", "best_validation")
        table = pd.DataFrame(
            self.read_json(
                self.layout.run(name, seed) / "summary.json", f"train {name} --seed {seed}", keys
            )
            | {"fall": last_fall(log)}
            for name in recipes
            for logs in [self.logs(name)]
            for seed in range(self.config.recipes[name].meta_seeds)
            for log in [logs[logs["meta_seed"] == seed]]
        )
        if table.empty:
            return table
        best = table.groupby("recipe")["best_validation"].idxmin()
        table.insert(8, "selected", table.index.isin(best))
        table.insert(9, "fall", table.pop("fall"))
        return table

    def chosen(self, recipes: Iterable[str]) -> dict[str, int]:
        """Recipe -> the meta-seed that validated best."""
        table = self.meta_trainings(recipes)
        best = table[table["selected"]]
        return dict(zip(best["recipe"], best["meta_seed"].astype(int), strict=True))

    def logs(self, recipe: str) -> pd.DataFrame:
        """The logs of a recipe's meta-trainings, with the columns recipe and meta_seed."""
        tables = []
        for seed in range(self.config.recipes[recipe].meta_seeds):
            log = self.layout.run(recipe, seed) / "log.csv"
            table = pd.read_csv(self.existing(log, f"train {recipe} --seed {seed}"))
            tables.append(table.assign(recipe=recipe, meta_seed=seed))
        return pd.concat(tables, ignore_index=True)

    def search(self, recipe: str) -> dict[str, Any]:
        """The chosen meta_learning_rate, and the trials it was chosen from."""
        return self.read_json(self.layout.rate(recipe), f"choose-rate {recipe}")

    def datasets(self, experiment: str) -> list[dict[str, Any]]:
        """The records of the experiment's datasets; none where problems come from the seed."""
        names = self.config.datasets(*self.config.experiments[experiment].problems)
        return [self.dataset(name) for name in names]

    def dataset(self, name: str) -> dict[str, Any]:
        """The record of a dataset, see `l2l.data.sources`."""
        return self.read_json(self.layout.data(name), f"data {name}")

    def provenance(self) -> dict[str, Any]:
        """Commit, versions, machine."""
        return self.read_json(self.layout.provenance, "page")

    def figure(self, name: str) -> Path:
        """A figure's PNG; its PDF and the numbers of its lines are there too."""
        stem = self.layout.figure(name)
        for suffix in (".pdf", ".json"):
            self.existing(stem.with_suffix(suffix), f"figure {name}")
        return self.existing(stem.with_suffix(".png"), f"figure {name}")
