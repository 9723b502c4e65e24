"""The stages of meta-training and testing: each reads the files of earlier ones and writes its own.

The commands of `l2l` and the rules of the workflow call one function each. Which parts of the
configuration a stage depends on is said in `l2l.config.inputs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l2l.config import Recipe
from l2l.config.inputs import digest, training_inputs, trial_inputs
from l2l.files import write_json, write_table
from l2l.run import Run

if TYPE_CHECKING:  # torch and pandas are imported only by the stages that need them
    import torch

    from l2l.meta.state import TrainingState
    from l2l.optimizers import Optimizer
    from l2l.problems import Family

Tested = tuple[str, int | None]
"""An optimizer that is tested: a baseline and None, or a recipe and its meta-seed."""


def run_trial(run: Run, recipe: str, number: int) -> None:
    """One trial of the random search: a recipe's first episodes at a drawn meta learning rate.

    A trial that diverges or collapses is an outcome too: without a validation loss, never chosen.
    """
    from l2l.meta.epoch import AllCollapsedError, DivergedError
    from l2l.meta.schedule import trial_rate

    settings = run.config.recipes[recipe]
    search = settings.meta_learning_rate
    rate = trial_rate(search, run.config.seed, recipe, number)
    path = run.layout.trial(recipe, number)
    state_path = path.with_suffix(".state")
    outcome: dict[str, Any] = {"trial": number, "meta_learning_rate": rate}
    try:
        state = _meta_train(
            run,
            recipe,
            settings.model_copy(update={"step_backs": 0}),
            search.episodes,
            rate,
            ("trial",),
            f"{recipe} trial {number}",
            state_path,
            trial_inputs(run.config, recipe),
        )
        outcome |= {"validation": state.best_validation, "seconds": round(state.seconds, 1)}
    except (AllCollapsedError, DivergedError) as error:
        outcome |= {"validation": None, "failed": str(error)}
    write_json(path, outcome)
    state_path.unlink(missing_ok=True)


def choose_rate(run: Run, recipe: str) -> None:
    """The meta learning rate of the trial with the lowest validation loss.

    Raises:
        UserError: a trial is missing, or none came through.
    """
    from l2l.meta import schedule

    settings = run.config.recipes[recipe].meta_learning_rate
    keys = ("validation", "meta_learning_rate")
    trials = [
        run.read_json(run.layout.trial(recipe, number), f"trial {recipe} {number}", keys)
        for number in range(settings.trials)
    ]
    if trials:
        losses = [float("inf") if (v := trial["validation"]) is None else v for trial in trials]
        rates = [trial["meta_learning_rate"] for trial in trials]
        rate = schedule.choose_rate(rates, losses, recipe)
    else:
        rate = schedule.trial_rate(settings, run.config.seed, recipe, 0)
    write_json(run.layout.rate(recipe), {"meta_learning_rate": rate, "trials": trials})


def train(run: Run, recipe: str, seed: int) -> None:
    """Meta-train a recipe at the chosen rate: its optimizer, log and summary.

    A killed meta-training goes on from its last saved state and ends with the same bits.

    Raises:
        UserError: the meta learning rate is not chosen, or meta-training failed.
    """
    import pandas as pd

    from l2l.optimizers import checkpoint
    from l2l.optimizers.weights import make_optimizer, unflatten_phi
    from l2l.provenance import commit

    config, folder = run.config, run.layout.run(recipe, seed)
    settings = config.recipes[recipe]
    key = "meta_learning_rate"
    rate = run.read_json(run.layout.rate(recipe), f"choose-rate {recipe}", [key])[key]
    inputs = training_inputs(config, recipe) | {"rate": rate}
    state_path = folder / "training.state"
    state = _meta_train(
        run,
        recipe,
        settings,
        settings.episodes,
        rate,
        ("seed", seed),
        f"{recipe} seed {seed}",
        state_path,
        inputs,
    )
    summary = {
        "recipe": recipe,
        "meta_seed": seed,
        "meta_learning_rate": rate,
        "attempts": state.attempt + 1,
        "collapsed": "; ".join([*state.collapsed, *state.diverged]),
        "episodes": state.episode,
        "best_episode": state.best_episode,
        "best_validation": state.best_validation,
        "seconds": round(state.seconds, 1),
        "commit": commit(),
    }
    origin = {**summary, "protocol": config.protocol, "inputs": inputs}
    del origin["seconds"]  # the same run gives the same bytes
    best = unflatten_phi(state.best, settings.optimizer)
    write_table(folder / "log.csv", pd.DataFrame(state.rows))
    optimizer = make_optimizer(settings.optimizer, best)
    checkpoint.save(folder / "optimizer.safetensors", optimizer, origin)
    write_json(folder / "summary.json", summary)
    state_path.unlink(missing_ok=True)


def _meta_train(
    run: Run,
    name: str,
    recipe: Recipe,
    episodes: int,
    rate: float,
    streams: tuple[str | int, ...],
    label: str,
    state_path: Path,
    inputs: dict[str, Any],
) -> TrainingState:
    """Meta-train, from the trained optimizer that the recipe starts from, if there is one.

    Args:
        run: the run.
        name: of the recipe.
        recipe: its settings.
        episodes: where to stop.
        rate: the meta learning rate.
        streams: names of the run's random streams: ("seed", number) or ("trial",).
        label: for progress.
        state_path: the saved state; resumed where `inputs` are the same.
        inputs: what the result depends on.
    """
    from l2l.meta.train import Training
    from l2l.meta.train import train as meta_train
    from l2l.optimizers.weights import continued_phi

    families, device = run.open_problems(recipe.problems, "train")
    start = None
    if recipe.start_from:
        meta_seed = int(streams[1]) if streams[0] == "seed" else 0
        trained = run.trained(recipe.start_from, meta_seed, "cpu")
        start = continued_phi(trained, recipe.optimizer)
        inputs = inputs | {"start": hashlib.sha256(start.numpy().tobytes()).hexdigest()}
    training = Training(
        name, recipe, rate, streams, run.config.seed, device, episodes, label, start
    )
    what = digest(inputs | {"rate": rate, "run": list(streams)})
    return meta_train(
        training, families[recipe.problem], state_path, what, families[recipe.validated_on]
    )


def gather_runs(run: Run) -> None:
    """The table of all meta-trainings; `selected` marks the meta-seed that validated best."""
    from l2l.results import Results

    write_table(run.layout.runs, Results(run.config).meta_trainings(run.config.used_recipes()))


def tune(run: Run, experiment: str, baseline: str) -> None:
    """Tune a baseline's learning rate on each problem of an experiment.

    Raises:
        UserError: no rate of the grid is best inside it (see `l2l.evaluation.tune`).
    """
    import pandas as pd

    from l2l.evaluation.tune import tune as tuned

    settings = run.config.experiments[experiment]
    families, _ = run.open_problems(settings.problems, "tune")
    tables = [
        tuned(experiment, settings, baseline, name, family) for name, family in families.items()
    ]
    write_table(run.layout.tuning(experiment, baseline), pd.concat(tables, ignore_index=True))


def evaluate(run: Run, experiment: str, optimizers: Sequence[Tested]) -> None:
    """Test optimizers on the test problems of an experiment, a table each.

    Raises:
        UserError: an optimizer is not trained, or a baseline not tuned.
    """
    families, device = run.open_problems(run.config.experiments[experiment].problems, "evaluate")
    for name, seed in optimizers:
        _test(run, experiment, families, device, name, seed)


def _test(
    run: Run,
    experiment: str,
    families: Mapping[str, Family],
    device: torch.device,
    optimizer: str,
    seed: int | None,
) -> None:
    """Test one optimizer; write its table, and its pictures if the experiment keeps some."""
    from l2l.evaluation.evaluate import HANDCRAFTED
    from l2l.evaluation.evaluate import evaluate as test
    from l2l.evaluation.pictures import write_pictures
    from l2l.optimizers import make_baseline

    settings = run.config.experiments[experiment]
    subjects: dict[str, Optimizer]
    if seed is None:
        rates = run.tuned_rates(experiment, optimizer, families)
        subjects = {name: make_baseline(optimizer, rates[name]) for name in families}
    else:
        subjects = dict.fromkeys(families, run.trained(optimizer, seed, device))
    meta_seed = HANDCRAFTED if seed is None else seed
    outcome = test(experiment, settings, families, optimizer, subjects, meta_seed)
    write_table(run.layout.part(experiment, optimizer, seed), outcome.curves)
    if settings.evaluation.pictures:
        free = all(family.publishable for family in families.values())
        write_pictures(run.layout.pictures(experiment, optimizer, seed), outcome.pictures, free)


def collect(run: Run, experiment: str) -> None:
    """One table of all tests of an experiment, and one of all its tunings.

    Raises:
        UserError: a test or a tuning is missing.
    """
    import pandas as pd

    layout = run.layout
    parts = []
    for name, seed in run.config.tested(experiment):
        option = "" if seed is None else f" --seed {seed}"
        path = layout.part(experiment, name, seed)
        parts.append(run.existing(path, f"evaluate {experiment} {name}{option}"))
    tunings = [
        run.existing(layout.tuning(experiment, baseline), f"tune {experiment} {baseline}")
        for baseline in run.config.experiments[experiment].baselines
    ]
    write_table(layout.curves(experiment), pd.concat(map(pd.read_parquet, parts)))
    write_table(layout.tuning(experiment), pd.concat(map(pd.read_csv, tunings)))


def judge_claims(run: Run) -> None:
    """Judge the paper's claims by the tables.

    Raises:
        UserError: a table is missing, or a claim does not fit it.
    """
    from l2l.results import Results

    write_table(run.layout.claims, Results(run.config).judged(run.config.claims))
