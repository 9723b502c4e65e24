"""One run of the replication: its configuration, and what its earlier stages left in files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l2l.config import Config
from l2l.config.inputs import training_inputs
from l2l.config.schema import Stage
from l2l.errors import UserError
from l2l.layout import Layout

if TYPE_CHECKING:  # torch is imported only by the methods that compute
    import torch

    from l2l.optimizers import UpdateRule
    from l2l.problems import Family

TRAINING = ("trial", "choose-rate", "train")
"""Commands that meta-train the recipe they name."""


@dataclass(frozen=True)
class Run:
    """A run of the replication.

    Commands and measurements read their inputs through it. Each missing file is a UserError that
    names the command which makes the file.

    Attributes:
        config: the checked configuration.
        root: the folder of the run's results/ and figures/.

    Example:
        >>> from l2l.config import load_config
        >>> run = Run(load_config("smoke"))
        >>> run.layout.curves("mnist").as_posix()
        'results/smoke/evaluation/mnist/curves.parquet'
        >>> run.command("test mnist")
        'l2l test mnist --protocol smoke'
    """

    config: Config
    root: Path = Path()

    @property
    def layout(self) -> Layout:
        """The paths of this run's files."""
        return Layout(self.config.run_name, self.root)

    def command(self, stage: str) -> str:
        """The whole command line of a stage of this run, for advice in error messages.

        Args:
            stage: a command of `l2l` with its arguments, such as "train mnist --seed 1". A command
                that would make what this run takes from the record becomes `l2l take`.
        """
        if self._is_taken(*stage.split()[:2]):
            stage = "take"
        words = ["l2l", stage]
        if self.config.protocol != "default":
            words += ["--protocol", self.config.protocol]
        if self.config.optimizers == "released":
            words += ["--set", "optimizers=released"]
        return " ".join(words)

    def _is_taken(self, command: str, name: str = "") -> bool:
        """Whether a command meta-trains a recipe, or tunes on an experiment, of the record."""
        recipe, experiment = self.config.recipes.get(name), self.config.experiments.get(name)
        if command == "tune":
            return experiment is not None and experiment.tuning.origin == "released"
        return command in TRAINING and recipe is not None and recipe.origin == "released"

    def existing(self, path: Path, stage: str) -> Path:
        """The path itself, if there is such a file.

        Args:
            path: of a file that an earlier stage makes.
            stage: the command that makes it, see `command`.

        Raises:
            UserError: the file is missing.
        """
        if not path.is_file():
            raise UserError(
                f"{path} is missing: run {self.command(stage)}, or snakemake, which knows the order"
            )
        return path

    def read_json(self, path: Path, stage: str, keys: Iterable[str] = ()) -> dict[str, Any]:
        """A JSON file of an earlier stage.

        Args:
            path: of the file.
            stage: the command that makes it, see `command`.
            keys: keys that it must have.

        Raises:
            UserError: the file is missing or damaged.
        """
        self.existing(path, stage)
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if missing := {*keys} - {*content}:
                raise ValueError(f"it has no {', '.join(sorted(missing))}")
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{path} is damaged ({error}): delete it and run {self.command(stage)} again"
            ) from None
        return content

    def open_problems(
        self, names: Iterable[str], stage: Stage
    ) -> tuple[dict[str, Family], torch.device]:
        """Prepare the machine for a stage and load the problems with their data.

        Args:
            names: of problems of the configuration.
            stage: decides the device.

        Returns:
            The families by name, and the device they compute on.

        Raises:
            UserError: there is no such device, data are missing or damaged, or they are other
                stand-ins than this run's records name.
        """
        from l2l.compute import prepare
        from l2l.data.folder import data_directory
        from l2l.problems import Setup, make_family

        config = self.config
        device = prepare(config.compute, stage)
        directory = data_directory(config.data.directory)
        setup = Setup(config.seed, directory, device, config.problems)
        families = {name: make_family(name, setup) for name in names}
        for family in families.values():
            self.check_stand_ins(family.stand_ins)
        return families, device

    def check_stand_ins(self, used: Mapping[str, str | None]) -> None:
        """Compare stand-ins in use with the records of data sets: captions rely on the records.

        Args:
            used: data set -> the stand-in that was loaded, None for the real data.

        Raises:
            UserError: a record names another stand-in.
        """
        for dataset, stand_in in used.items():
            path = self.layout.data(dataset)
            if not path.exists():
                continue
            recorded = json.loads(path.read_text(encoding="utf-8"))["stand_in"]
            if recorded != stand_in:
                raise UserError(
                    f"{path} records {recorded or 'the real data'}, but the data folder has "
                    f"{stand_in or 'the real data'}: delete the file and run again"
                )

    def optimizer_file(self, recipe: str, seed: int) -> Path:
        """The file of a trained optimizer.

        Raises:
            UserError: it is missing.
        """
        path = self.layout.run(recipe, seed) / "optimizer.safetensors"
        return self.existing(path, f"train {recipe} --seed {seed}")

    def trained(self, recipe: str, seed: int, device: torch.device | str) -> UpdateRule:
        """An optimizer that this run has meta-trained.

        Args:
            recipe: a recipe of the configuration.
            seed: the meta-seed.
            device: where the weights are put.

        Raises:
            UserError: it is missing, damaged, of another recipe or meta-seed, or trained with
                other settings.
        """
        from l2l.optimizers import checkpoint

        command = f"train {recipe} --seed {seed}"
        path = self.optimizer_file(recipe, seed)
        loaded = checkpoint.load(path, str(device))
        origin = loaded.provenance
        made_by = origin.get("recipe"), origin.get("meta_seed")
        if made_by != (recipe, seed):
            raise UserError(
                f"{path} is of recipe {made_by[0]}, meta-seed {made_by[1]}: put the right "
                f"file there, or delete it and run {self.command(command)} again"
            )
        inputs = {**origin.get("inputs", {}), "rate": None}
        if inputs != {**training_inputs(self.config, recipe), "rate": None}:
            raise UserError(
                f"{path} was trained with other settings: run {self.command(command)} "
                "again, or give the settings it was trained with"
            )
        return loaded.optimizer

    def tuned_rates(
        self, experiment: str, baseline: str, families: Collection[str]
    ) -> dict[str, dict[str, float]]:
        """The learning rates that a baseline is tested at.

        Args:
            experiment: an experiment of the configuration.
            baseline: one of its baselines.
            families: names of the experiment's problems.

        Returns:
            What a rate was chosen for (see `rates`), or the experiment in whose place it was tuned
            (`rates_of`), or "default" (`default_rates`) -> family -> rate.

        Raises:
            UserError: the baseline is not tuned, or not on all of them.
        """
        from l2l.config.claims import DEFAULT
        from l2l.evaluation.rates import chosen_rates, final_rates, read_tuning

        command = f"tune {experiment} {baseline}"
        path = self.existing(self.layout.tuning(experiment, baseline), command)
        rates = chosen_rates(read_tuning(path))
        if missing := {*families} - {name for each in rates.values() for name in each}:
            raise UserError(
                f"{path} has no learning rate for {', '.join(sorted(missing))}: run "
                f"{self.command(command)} again"
            )
        if other := self.config.experiments[experiment].rates_of:
            table = read_tuning(self.existing(self.layout.tuning(other), f"test {other}"))
            home = final_rates(chosen_rates(table[table["optimizer"] == baseline]))
            for rate in home.values():  # of its one problem; none if it has no such baseline
                rates[other] = dict.fromkeys(families, rate)
        untuned = self.config.experiments[experiment].default_rates
        if baseline in untuned:
            rates[DEFAULT] = dict.fromkeys(families, untuned[baseline])
        return rates
