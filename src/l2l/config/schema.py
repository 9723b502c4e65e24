"""Everything that can be configured, with its type, its range and what it means.

The values stand in config/ and studies/. The schema has hardly any defaults, so that these files
show every value that a run depends on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field, model_validator

from l2l.config.base import Count, Name, Section
from l2l.config.checks import check
from l2l.config.claims import Claim
from l2l.config.experiments import Evaluation, Experiment, Tuning
from l2l.config.measurements import Measurements, measurements_of
from l2l.config.names import Entry, ExperimentName, ProblemName, RecipeName
from l2l.config.problems import ProblemSettings
from l2l.config.recipes import Recipe
from l2l.registry import MEASUREMENTS, PROBLEMS, settings_of

if TYPE_CHECKING:
    AnyProblem = ProblemSettings
    AllMeasurements = Measurements
else:
    AnyProblem = settings_of(PROBLEMS)
    AllMeasurements = measurements_of(MEASUREMENTS)

ClaimKey = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Protocol = Literal["smoke", "default", "paper"]
Optimizers = Literal["mixed", "trained", "released"]
Device = Literal["auto", "cpu", "cuda"]
Stage = Literal["train", "tune", "evaluate", "measure"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class FigureSettings(Section):
    """How figures look. Nothing but figures depends on this."""

    dpi: Annotated[int, Field(ge=50, le=1200)]
    """Pixels per inch of the PNG."""
    width_inches: Annotated[float, Field(gt=1, le=20)]
    """Printed width of one column, in inches."""
    font_size: Annotated[float, Field(ge=4, le=24)]
    """Size of the axis labels, in points."""
    interval: Annotated[float, Field(gt=0, lt=1)]
    """Confidence of the shaded bands, such as 0.95."""


class Compute(Section):
    """Where and how wide a job computes."""

    device: Device
    """What computes; auto: a GPU where PyTorch sees one, else the CPU."""
    devices: dict[Stage, Device]
    """Stages that use another device than `device`, with that device."""
    threads: Annotated[int, Field(ge=1, le=256)]
    """CPU threads of a job; `--cores` says how many jobs run."""
    shortest_job: Annotated[float, Field(ge=0)]
    """Seconds: trainings and tests that should take less are done together, study by study, in
    jobs of up to this length; 0: each training and test is a job. On a cluster it counts as 0."""

    def device_of(self, stage: Stage | None) -> Device:
        """The configured device of a stage; None: of work outside the stages."""
        return self.devices.get(stage, self.device) if stage else self.device


class Data(Section):
    """Where data sets are kept. The environment variable L2L_DATA_DIR wins."""

    directory: str | None
    """The folder of all data sets; null: `./data`."""


class FigureText(Section):
    """What stands beside a figure of loss curves."""

    title: str
    """A few words."""
    caption: str
    """What is seen and how to read it."""


class Study(Section):
    """A section of the page: a file of `studies/` and what it defines."""

    title: str
    """The heading."""
    about: str = ""
    """What the paper claims and what to look at, in Markdown."""
    figures: dict[Name, FigureText] = Field(default_factory=dict)
    """Texts of the figures whose panels are the experiments of the study."""
    problems: tuple[ProblemName, ...] = ()
    """The problems that it defines."""
    recipes: tuple[RecipeName, ...] = ()
    """The recipes that it defines."""
    experiments: tuple[ExperimentName, ...] = ()
    """The experiments that it defines."""
    measurements: tuple[Annotated[Name, Entry("measurements")], ...] = ()
    """The measurements that it defines."""
    claims: tuple[Annotated[ClaimKey, Entry("claims")], ...] = ()
    """The claims that it defines."""


class Config(Section):
    """The whole configuration of a run."""

    protocol: Protocol
    """The file of `config/` that overrides the default; it names the outputs."""
    optimizers: Optimizers
    """mixed: as the `origin` of each recipe and of each tuning says; trained: all are meta-trained
    and tuned in this run; released: all are taken from the committed record."""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    """The seed of all named streams of random numbers."""
    meta_seeds: Count
    """Independent meta-trainings of each recipe that does not set a number itself."""
    data: Data
    """Where data sets lie."""
    compute: Compute
    """Device and threads."""
    tuning: Tuning
    """The tuning of every experiment that does not set other values."""
    evaluation: Evaluation
    """The test of every experiment that does not set other values."""
    problems: dict[Name, AnyProblem]
    """Families of problems."""
    recipes: dict[Name, Recipe]
    """Learned optimizers; a recipe that nothing names is not meta-trained."""
    experiments: dict[Name, Experiment]
    """What is compared on what, and drawn."""
    measurements: AllMeasurements
    """What is measured besides losses."""
    claims: dict[ClaimKey, Claim]
    """The claims of the paper, each with what is compared to judge it."""
    studies: dict[Name, Study]
    """The sections of the page, in its order."""
    figures: FigureSettings
    """How figures look."""

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        check(self)
        return self

    @property
    def run_name(self) -> str:
        """The name of the folders of its results and figures."""
        return f"{self.protocol}_released" if self.optimizers == "released" else self.protocol

    def datasets(self, *problems: str) -> list[str]:
        """The datasets that these problems need, each once."""
        parts = [part for problem in problems for part in self.parts(problem)]
        return list(dict.fromkeys(name for part in parts for name in self.problems[part].datasets))

    def parts(self, problem: str) -> tuple[str, ...]:
        """The problems that a mixture is made of; for another problem, the problem itself."""
        return self.problems[problem].parts or (problem,)

    def figure_experiments(self) -> dict[str, list[str]]:
        """Figures of loss curves: name -> the experiments that are its panels."""
        figures: dict[str, list[str]] = {}
        for name, experiment in self.experiments.items():
            figures.setdefault(experiment.figure, []).append(name)
        return figures

    def main_recipes(self) -> list[str]:
        """The recipes of experiments without a `reference`, in the order of the configuration."""
        main = {
            recipe
            for experiment in self.experiments.values()
            for recipe in experiment.learned
            if not experiment.reference
        }
        return [name for name in self.recipes if name in main]

    def used_recipes(self) -> list[str]:
        """The recipes that an experiment or a measurement needs; no other is meta-trained."""
        wanted = [name for one in self.measurements.each().values() for name in one.trained()]
        for experiment in self.experiments.values():
            wanted += experiment.learned
        used = set[str]()
        while wanted:
            name = wanted.pop()
            used.add(name)
            if start := self.recipes[name].start_from:
                wanted.append(start)
        return [name for name in self.recipes if name in used]

    def tested(self, experiment: str) -> list[tuple[str, int | None]]:
        """Every optimizer that an experiment tests: (baseline, None), then (recipe, meta-seed)."""
        entry = self.experiments[experiment]
        baselines: list[tuple[str, int | None]] = [(name, None) for name in entry.baselines]
        return baselines + [
            (recipe, seed)
            for recipe in entry.learned
            for seed in range(self.recipes[recipe].meta_seeds)
        ]

    def labels(self) -> dict[str, str]:
        """Display names of the learned optimizers: recipe name -> label."""
        return {name: recipe.label for name, recipe in self.recipes.items()}
