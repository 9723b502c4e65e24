"""How meta-gradients depend on the window: norm, noise, and bias against the untruncated one (C16).

phi is fixed. An estimate is the sum of the gradients of an episode's windows. With one window for
the whole episode and with second derivatives, it is the gradient of the episode's meta-loss
(equation 4, w = 1); all others are compared to it on the same problems.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from l2l.config.estimators import UnrolledSettings
from l2l.config.measurements import META_SEED, MetaGradients
from l2l.estimators import Episode, Estimator, make_estimator
from l2l.optimizers import UpdateRule, bind
from l2l.optimizers.weights import initial_phi, make_optimizer
from l2l.problems import Family, Problem, live_part
from l2l.progress import Progress
from l2l.rng import stream

if TYPE_CHECKING:
    from l2l.run import Run

TRUE = UnrolledSettings(kind="unrolled", second_derivatives="kept")

Flat = NDArray[np.float64]


def measure(run: Run) -> pd.DataFrame:
    """The table of `meta_gradients` at the stages of meta-training that a run names.

    Raises:
        UserError: an optimizer is not trained.
    """
    config = run.config
    settings: MetaGradients = config.measurements.meta_gradients
    families, device = run.open_problems([settings.problem], "measure")
    optimizers = {}
    for name, stage in settings.stages.items():
        if stage.weights == "trained":
            optimizers[name] = run.trained(stage.recipe, META_SEED, device)
            continue
        kind = config.recipes[stage.recipe].optimizer
        phi = initial_phi(kind, stream(config.seed, "phi", stage.recipe, "seed", META_SEED, 0))
        optimizers[name] = make_optimizer(kind, {k: phi[k].to(device) for k in phi})
    return meta_gradients(settings, families[settings.problem], optimizers, config.seed)


def meta_gradients(
    settings: MetaGradients, family: Family, optimizers: Mapping[str, UpdateRule], seed: int
) -> pd.DataFrame:
    """Estimate meta-gradients for every stage, estimator and window.

    Args:
        settings: what is estimated, and how often.
        family: of `settings.problem`.
        optimizers: stage -> the learned optimizer with its weights at that stage.
        seed: the seed of the run.

    Returns:
        A row for each (stage, estimator, window, repeat): norm of the estimate; cosine with the
        true gradient on the same problems, 1 for the same direction; ratio of its norm to the true
        gradient's. The same in the rows of all repeats: noise, the relative standard deviation
        (see `relative_noise`); bias, 1 - cosine of the means. noise_left_out and bias_left_out:
        the same without the row's repeat, for the jackknife. Not finite where an estimate
        overflowed.
    """
    pairs = [
        (name, source.estimator, window)
        for name, source in settings.estimators.items()
        for window in settings.windows
    ]
    progress = Progress("meta-gradients", len(settings.stages) * settings.repeats, unit="estimate")
    tables = []
    for stage in settings.stages:
        estimates: dict[tuple[str, int], list[Flat]] = {(name, w): [] for name, _, w in pairs}
        true = []
        for repeat in range(settings.repeats):
            indices = range(repeat * settings.problems, (repeat + 1) * settings.problems)
            sampled = family.sample(("meta_gradients", settings.problem), indices, settings.steps)
            couples = optimizers[stage].settings.couples
            problems = live_part(sampled, train_loss=False, couples=couples)
            optimizer = bind(optimizers[stage], problems.places())
            names = (seed, "meta_gradients", stage, repeat)
            episode = (problems, optimizer, settings.steps)
            true.append(_estimate(make_estimator(TRUE), settings.steps, *episode, names))
            for name, kind, window in pairs:
                estimator, named = make_estimator(kind), (*names, name, window)
                estimates[name, window].append(_estimate(estimator, window, *episode, named))
            progress.advance()
        tables += [
            _table(np.stack(each), np.stack(true)).assign(
                stage=stage, estimator=name, window=window
            )
            for (name, window), each in estimates.items()
        ]
    progress.close()
    keys = ["stage", "estimator", "window", "repeat"]
    table = pd.concat(tables, ignore_index=True)
    return table[[*keys, *table.columns.difference(keys, sort=False)]]


def _estimate(
    estimator: Estimator,
    window: int,
    problems: Problem,
    optimizer: UpdateRule,
    steps: int,
    named: tuple[int | str, ...],
) -> Flat:
    """The sum of the windows' gradients over an episode, flat [coordinates of phi]."""
    seed, *rest = named
    episode = Episode(
        problems,
        lambda losses, first: torch.ones_like(losses),
        stream(int(seed), *rest),
        None,
        problems.initial().new_zeros(estimator.remembers(steps)),
    )
    carry, parts = estimator.begin(episode, optimizer), []
    for _ in range(steps // window):
        rolled = estimator.window(episode, optimizer, carry, window)
        carry = rolled.carry
        names = sorted(rolled.gradient)  # their order does not depend on the estimator
        parts.append(torch.cat([rolled.gradient[name].flatten() for name in names]))
    return functools.reduce(torch.add, parts).double().cpu().numpy()


def _table(estimates: Flat, true: Flat) -> pd.DataFrame:
    """The columns of one estimator and window, from two arrays [repeats, coordinates of phi]."""
    with np.errstate(all="ignore"):
        norms, repeats = np.linalg.norm(estimates, axis=1), range(len(estimates))
        others = [np.delete(estimates, repeat, axis=0) for repeat in repeats]
        true_others = [np.delete(true, repeat, axis=0) for repeat in repeats]
        return pd.DataFrame(
            {
                "repeat": repeats,
                "norm": norms,
                "cosine": _cosine(estimates, true),
                "ratio": norms / np.linalg.norm(true, axis=1),
                "noise": relative_noise(estimates),
                "noise_left_out": [relative_noise(each) for each in others],
                "bias": _bias(estimates, true),
                "bias_left_out": [_bias(*pair) for pair in zip(others, true_others, strict=True)],
            }
        )


def relative_noise(estimates: Flat) -> float:
    """The standard deviation of an estimate, divided by the length of its expectation.

    With S^2 = sum_i |e_i - mean|^2 / (n - 1), noise makes the mean of n estimates longer than the
    expectation, E |mean|^2 = |E e|^2 + S^2 / n. The second term is subtracted.

    Args:
        estimates: independent, [n, coordinates of phi], n >= 2.

    Returns:
        S / sqrt(|mean|^2 - S^2 / n); infinite where the mean does not differ from zero.
    """
    count, mean = len(estimates), estimates.mean(axis=0)
    variance = float(((estimates - mean) ** 2).sum()) / (count - 1)
    squared = float((mean**2).sum()) - variance / count
    if squared > 0:
        return float(np.sqrt(variance / squared))
    return float("nan") if np.isnan(squared) else float("inf")


def _bias(estimates: Flat, true: Flat) -> float:
    cosine = _cosine(estimates.mean(axis=0)[None], true.mean(axis=0)[None])[0]
    return float(np.clip(1 - cosine, 0, 2))


def _cosine(a: Flat, b: Flat) -> Flat:
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
