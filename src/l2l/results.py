"""The tables and figures of a finished run, read for figures, the page and the reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from l2l.evaluation.claims import compared, describe_data, evaluate_claims, read_claims
from l2l.run import Run


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
        """The tests of all optimizers: one row per (optimizer, meta_seed, problem, step)."""
        path = self.existing(self.layout.curves(experiment), f"test {experiment}")
        return pd.read_parquet(path)

    def tuning(self, experiment: str) -> pd.DataFrame:
        """All learning rates that were tried for the baselines."""
        path = self.existing(self.layout.tuning(experiment), f"test {experiment}")
        return pd.read_csv(path)

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
        config = self.config
        judged = {name: config.claims[name] for name in claims}
        experiments, tables = compared(judged.values())
        return evaluate_claims(
            judged,
            {name: self.curves(name) for name in experiments},
            config.protocol,
            {name: describe_data(self.datasets(name)) for name in experiments},
            {name: self.measurement(name) for name in tables},
            {claim: name for name, study in config.studies.items() for claim in study.claims},
        )

    def runs(self) -> pd.DataFrame:
        """All meta-trainings; `collapsed` is an empty string where nothing did, or diverged."""
        table = pd.read_csv(self.existing(self.layout.runs, "runs"))
        return table.assign(collapsed=table["collapsed"].fillna(""))

    def meta_trainings(self, recipes: Iterable[str]) -> pd.DataFrame:
        """The same table for some recipes, from their own files.

        The column `selected` marks the meta-seed of each recipe that validated best.
        """
        keys = ("recipe", "best_validation")
        table = pd.DataFrame(
            self.read_json(
                self.layout.run(name, seed) / "summary.json", f"train {name} --seed {seed}", keys
            )
            for name in recipes
            for seed in range(self.config.recipes[name].meta_seeds)
        )
        best = table.groupby("recipe")["best_validation"].idxmin()
        table.insert(8, "selected", table.index.isin(best))
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
        """A figure's PNG; its PDF is there too."""
        stem = self.layout.figure(name)
        self.existing(stem.with_suffix(".pdf"), f"figure {name}")
        return self.existing(stem.with_suffix(".png"), f"figure {name}")

    def seconds(self) -> pd.DataFrame:
        """Columns stage, seconds: a row for each job whose time Snakemake took, maybe none."""
        folder = self.layout.results / "benchmarks"
        rows = []
        for path in sorted(folder.rglob("*.tsv")):
            stage = path.relative_to(folder).parts[0].removesuffix(".tsv")
            rows.append((stage, float(pd.read_csv(path, sep="\t")["s"].sum())))
        return pd.DataFrame(rows, columns=["stage", "seconds"])
