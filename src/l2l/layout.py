"""The paths of all outputs. Rules and commands both take them from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The paths of one run's outputs.

    Attributes:
        run_name: see `Config.run_name`.
        root: the folder of results/ and figures/; the working directory, if nothing else is said.
    """

    run_name: str
    root: Path = Path()

    @property
    def results(self) -> Path:
        """The folder of this run's results."""
        return self.root / "results" / self.run_name

    @property
    def figures(self) -> Path:
        """The folder of this run's figures."""
        return self.root / "figures" / self.run_name

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.results / "config.yaml"

    @property
    def runs(self) -> Path:
        """The table of all meta-trainings."""
        return self.results / "training" / "runs.csv"

    @property
    def claims(self) -> Path:
        """The table of claims and verdicts."""
        return self.results / "claims.csv"

    @property
    def provenance(self) -> Path:
        """Commit, versions, machine."""
        return self.results / "provenance.json"

    @property
    def page(self) -> Path:
        """The page that shows everything."""
        return self.results / "index.html"

    def data(self, dataset: str) -> Path:
        """The record of a data set: its source and its digests."""
        return self.results / "data" / f"{dataset}.json"

    def trial(self, recipe: str, trial: int) -> Path:
        """The outcome of a trial of the meta learning rate."""
        return self.results / "training" / recipe / "search" / f"trial{trial}.json"

    def rate(self, recipe: str) -> Path:
        """The chosen meta learning rate."""
        return self.results / "training" / recipe / "meta_learning_rate.json"

    def run(self, recipe: str, meta_seed: int) -> Path:
        """The folder of one meta-training: optimizer.safetensors, log.csv, summary.json."""
        return self.results / "training" / recipe / f"seed{meta_seed}"

    def tuning(self, experiment: str, baseline: str | None = None) -> Path:
        """The tuning table of a baseline, or of all of them."""
        if baseline is None:
            return self.results / "tuning" / f"{experiment}.csv"
        return self.results / "tuning" / experiment / f"{baseline}.csv"

    def part(self, experiment: str, optimizer: str, meta_seed: int | None) -> Path:
        """The test of one optimizer."""
        suffix = "" if meta_seed is None else f".seed{meta_seed}"
        folder = self.results / "evaluation" / experiment / "parts"
        return folder / f"{optimizer}{suffix}.parquet"

    def unfinished(self, experiment: str) -> Path:
        """A digest of what an experiment's tests depend on, while they are not all done."""
        return self.results / "evaluation" / experiment / "unfinished"

    def pictures(self, experiment: str, optimizer: str, meta_seed: int | None) -> Path:
        """The pictures that one optimizer painted of the first test photographs."""
        return self.part(experiment, optimizer, meta_seed).with_suffix(".pictures.safetensors")

    def curves(self, experiment: str) -> Path:
        """The tests of all optimizers of an experiment, one tidy table."""
        return self.results / "evaluation" / experiment / "curves.parquet"

    def measurement(self, name: str) -> Path:
        """The table of a measurement, see `l2l.config.measurements`."""
        return self.results / "measurements" / f"{name}.csv"

    def figure(self, name: str) -> Path:
        """A figure's path without its suffix."""
        return self.figures / name

    def report(self, name: str) -> Path:
        """An executed report's path without its suffix."""
        return self.results / "reports" / name
