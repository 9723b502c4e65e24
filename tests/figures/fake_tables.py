"""Synthetic tables with the columns of the real ones; only for tests."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from l2l.config import Config
from l2l.figures.variants import Variant

BASELINES = ("sgd", "rmsprop", "adam", "nag")
RATES = {
    "sgd": (0.03, 0.36),
    "rmsprop": (0.038, 0.33),
    "adam": (0.045, 0.31),
    "nag": (0.07, 0.28),
    "mnist_paper": (0.1, 0.33),
    "mnist_long_unroll": (0.12, 0.27),
}


def make_curves(
    optimizers: list[str],
    problems: int = 64,
    steps: int = 200,
    families: tuple[str, ...] = ("mnist",),
    held_out_every: int = 0,
    diverging: dict[str, float] | None = None,
) -> pd.DataFrame:
    """Noisy exponential decays from 2.4: three meta-seeds of what is learned.

    Args:
        optimizers: keys.
        problems: of each family.
        steps: the last one.
        families: names of problems; a later one ends higher.
        held_out_every: test_loss is measured at every so many steps, and train_loss nowhere else;
            0: no test_loss, train_loss everywhere.
        diverging: optimizer -> growth per step from step 15 on, in two of three problems.
    """
    rng = np.random.default_rng(5)
    parts = [
        _runs(rng, optimizer, meta_seed, family, problems, steps, (diverging or {}).get(optimizer))
        for family in families
        for optimizer in optimizers
        for meta_seed in (range(3) if optimizer not in BASELINES else (-1,))
    ]
    table = pd.concat(parts, ignore_index=True)
    scale = 1 + 0.1 * table["family"].map({name: k for k, name in enumerate(families)})
    late = (table["step"] > 0).to_numpy() * (scale.to_numpy() - 1) + 1
    table["loss"], table["train_loss"] = table["loss"] * late, table["train_loss"] * late
    table["test_loss"] = np.nan
    if held_out_every:
        between = (table["step"] % held_out_every > 0) & (table["step"] < steps)
        table["test_loss"] = table["train_loss"] * np.where(table["step"] > 0, 1.05, 1)
        table.loc[between, ["train_loss", "test_loss"]] = np.nan
    return table


def _runs(
    rng: np.random.Generator,
    optimizer: str,
    meta_seed: int,
    family: str,
    problems: int,
    steps: int,
    growth: float | None,
) -> pd.DataFrame:
    step = np.arange(steps + 1)
    problem = np.arange(problems)[:, None]
    rate, floor = RATES.get(optimizer, (0.05, 0.3))
    rate *= (1 + 0.1 * rng.normal() * (meta_seed >= 0)) * min(100 / steps, 1)
    slow = floor * (1 + 0.3 * np.exp(-step / 80))
    train = (2.4 - slow) * np.exp(-rate * step) + slow
    train = train * np.exp(0.1 * np.sin(7.0 * problem) * np.minimum(step / 10, 1))
    if meta_seed >= 0:
        phase = rng.uniform(0, 2 * np.pi, (problems, 1))
        train = train * (1 + 0.08 * np.sin(step / 2.5 + phase) * (step > 30))
    if growth:
        train = train * np.exp(growth * np.clip(step - 15, 0, None) * (problem % 3 < 2))
    noise = np.random.default_rng(11).normal(0, 0.12, (problems, steps + 1))
    return pd.DataFrame(
        {
            "experiment": "mnist",
            "family": family,
            "problem": np.repeat(np.arange(problems), steps + 1),
            "optimizer": optimizer,
            "meta_seed": meta_seed,
            "rate_for": "both" if optimizer in BASELINES else "",
            "step": np.tile(step, problems),
            "loss": (train * np.exp(noise)).ravel(),
            "train_loss": train.ravel(),
        }
    )


def make_log(recipe: str, meta_seed: int, episodes: int = 400) -> pd.DataFrame:
    """A log with windows of 20, 50 and 100, validated every 50 episodes."""
    rng = np.random.default_rng(meta_seed)
    episode = np.arange(50, episodes + 1, 50)
    final = 0.29 + 0.9 * np.exp(-episode / 60) + rng.normal(0, 0.01, episode.size)
    return pd.DataFrame(
        {
            "recipe": recipe,
            "meta_seed": meta_seed,
            "episode": episode,
            "attempt": 0,
            "window": np.select([episode <= 100, episode <= 250], [20, 50], 100),
            "meta_learning_rate": 3e-3,
            "train_loss": final * 1.8,
            "meta_gradient_norm": 1.0,
            "validation_final": final,
            "validation_mean": final * 1.7,
            "seconds": episode * 0.5,
        }
    )


def make_overhead(repeats: int = 5) -> pd.DataFrame:
    """Times that grow with the number of coordinates, as `l2l measure overhead` writes them."""
    rng = np.random.default_rng(7)
    lines = {("mnist_paper", "default"): 6e-8, ("mnist_paper", "reference"): 3e-7}
    lines["hierarchical", "default"] = 5e-7
    lines |= {
        (name, "default"): each * 1e-10
        for name, each in zip(BASELINES, (4, 20, 40, 15), strict=True)
    }
    gradients = {"mnist": (15_910, 1e-3), "cifar10": (22_682, 0.04), "neural_art": (12_288, 0.09)}
    sizes = [("grid", 10**power) for power in range(2, 8)]
    sizes += [(problem, size) for problem, (size, _) in gradients.items()]
    rows = []
    for problem, size in sizes:
        expected = {key: 2e-5 + size * each for key, each in lines.items()}
        if size == 10**7:
            del expected["mnist_paper", "reference"], expected["hierarchical", "default"]
        if problem in gradients:
            expected["gradient", "default"] = gradients[problem][1]
        for (timed, implementation), seconds in expected.items():
            for repeat in range(repeats):
                drawn = seconds * np.exp(rng.normal(0, 0.05))
                own = gradients[problem][1] if problem in gradients else np.nan
                own = np.nan if timed == "gradient" else own
                rows.append((timed, implementation, problem, size, repeat, drawn, drawn + own, 8.0))
    columns = ["timed", "implementation", "problem", "coordinates", "repeat", "seconds"]
    return pd.DataFrame(rows, columns=[*columns, "seconds_with_gradient", "state_bytes"])


def make_updates(learned: dict[str, tuple[str, ...]], steps: tuple[int, ...]) -> pd.DataFrame:
    """Odd curves that flatten out, as `l2l measure updates` writes them.

    Args:
        learned: experiment -> recipes; ADAM stands beside them.
        steps: of the runs.
    """
    positive = np.geomspace(1e-6, 1, 13)
    values = np.concatenate([-positive[::-1], [0], positive])
    tables = []
    for experiment, recipes in learned.items():
        for scale, optimizer in enumerate((*recipes, "adam"), 1):
            for step in steps:
                for coordinate in range(3):
                    lift = 0.002 * coordinate * (step > 1)
                    curve = lift - 0.01 * scale / step * np.tanh(values * 10 ** (1 + coordinate))
                    tables.append(
                        pd.DataFrame(
                            {
                                "experiment": experiment,
                                "family": experiment,
                                "optimizer": optimizer,
                                "step": step,
                                "coordinate": coordinate,
                                "parameter": "layers.0.weight",
                                "gradient": values,
                                "update": curve,
                                "actual_gradient": values[9 + coordinate],
                                "actual_update": curve[9 + coordinate],
                            }
                        )
                    )
    return pd.concat(tables, ignore_index=True)


def make_step_size(starts: Iterable[int], windows: Iterable[int], repeats: int = 3) -> pd.DataFrame:
    """Slopes that rise with the start, as `l2l measure step_size` writes them; one explodes."""
    rng = np.random.default_rng(13)
    rows = []
    for start, window, repeat in itertools.product(starts, windows, range(repeats)):
        measured = 0.02 * np.log10(1 + start) - 0.02 + rng.normal(0, 0.005)
        kept = measured * (1 if repeat else -(window**1.5))
        slopes = {"kept": kept, "dropped": 2 * abs(measured), "measured": measured}
        rows += [
            (start, window, estimate, repeat, 1.5, slope, abs(slope - measured))
            for estimate, slope in slopes.items()
        ]
    return pd.DataFrame(
        rows, columns=["start", "window", "estimate", "repeat", "loss", "slope", "error"]
    )


def make_variant(optimizer: str, ratio: float, seeds: int = 3) -> Variant:
    """Its mean loss is about `ratio` times the reference's, its final loss twice as much."""
    spread = 1 + 0.1 * np.arange(seeds)
    return Variant(optimizer, ratio * spread, 2 * ratio * spread)


def make_tuning(baselines: Iterable[str] = BASELINES) -> pd.DataFrame:
    """Three rates of each baseline; a later one ends lower."""
    columns = ["family", "optimizer", "learning_rate", "final_loss", "chosen_for"]
    rows = [
        ("mnist", key, rate, (4 - place) * (1 + (rate - 0.1) ** 2), "both" if rate == 0.1 else "")
        for place, key in enumerate(baselines)
        for rate in (0.01, 0.1, 1.0)
    ]
    return pd.DataFrame(rows, columns=columns)


def make_claims(config: Config) -> pd.DataFrame:
    """The deciding rows of every claim, with all verdicts and effects that are far off."""
    rows: list[dict[str, Any]] = []

    def add(claim: str, recipe: str, baseline: str, **more: Any) -> None:
        answers = ("measurement",) if more.get("table") else ("optimizer", "recipe")
        for place, answer in enumerate(answers):
            number = len(rows)
            verdict = VERDICTS[number % len(VERDICTS)]
            ratio = 1.7 ** (number % 9 - 4)
            width = (1.2, 1.5)[place] if number % 7 else 9.0
            estimate, low, high = (ratio * each - 1 for each in (1, 1 / width, width))
            if number % 11 == 5:
                estimate = low = high = np.nan
            row = {"claim": claim, "answer": answer, "recipe": recipe, "baseline": baseline}
            row |= {"estimate": estimate, "low": low, "high": high, "verdict": verdict}
            rest = {"experiment": "", "metric": "final_loss", "table": "", "allowance": 0.0}
            rows.append(row | rest | {"claimed": "lower", "deciding": True} | more)

    for key, claim in config.claims.items():
        for one in claim.comparisons:
            baseline = "nag" if one.baselines == "tuned" else one.baselines[0]
            metric = one.metrics[-1].metric
            more = {"experiment": one.experiment, "metric": metric, "allowance": one.allowance}
            for recipe in one.learned:
                add(key, recipe, baseline, claimed=one.claimed, **more)
        for measured in claim.measured:
            more = {"metric": "measured", "table": measured.table, "claimed": measured.claimed}
            add(key, measured.name, measured.baseline, **more)
    table = pd.DataFrame(rows)
    return table.drop_duplicates(["claim", "answer", "recipe"]).reset_index(drop=True)


VERDICTS = ("replicated", "not replicated", "inconclusive", "not enough problems")


def make_meta_gradients(
    stages: Iterable[str], estimators: Iterable[str], windows: Iterable[int], repeats: int = 3
) -> pd.DataFrame:
    """Power laws of the window, as `l2l measure meta-gradients` writes them; the bias goes to 0."""
    rng = np.random.default_rng(9)
    keys = itertools.product(enumerate(stages), enumerate(estimators), windows, range(repeats))
    rows = []
    for (a, stage), (b, estimator), window, repeat in keys:
        drawn = np.exp(rng.normal(0, 0.1, 3))
        norm, variance, bias = drawn * (1e4 * window**0.5 / 9**a, 10 * window * 3**b, 0.5 / window)
        cosine = 1 - bias if window < 100 else 1.0
        rows.append((stage, estimator, window, repeat, norm, variance, cosine))
    return pd.DataFrame(
        rows, columns=["stage", "estimator", "window", "repeat", "norm", "variance", "cosine"]
    )


def make_landscape(
    slices: Iterable[str], directions: int, horizons: Iterable[int], problems: int = 2
) -> pd.DataFrame:
    """Valleys that are rougher for longer horizons, as `l2l measure landscape` writes them."""
    keys = itertools.product(slices, range(directions), np.linspace(-1, 1, 21), horizons)
    rows = [
        (name, direction, place, horizon, problem, 0.3 + place**2 + 0.01 * rough)
        for name, direction, place, horizon in keys
        for problem in range(problems)
        for rough in [np.sin(40 * place + problem + direction) * np.log10(horizon)]
    ]
    columns = ["slice", "direction", "place", "horizon", "problem", "loss"]
    return pd.DataFrame(rows, columns=columns)
