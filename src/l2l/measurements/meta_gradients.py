"""How meta-gradients depend on the window: norm, noise, and bias against the untruncated one (C16).

phi is fixed. An estimate is the sum of the gradients of an episode's windows; with one window of
the whole episode, second derivatives kept, it is the gradient of the episode's meta-loss (equation
4, w = 1), to which all others are compared on the same problems.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from l2l.config.estimators import UnrolledSettings
from l2l.config.meta_gradients import MetaGradients
from l2l.meta.gradients import Episode, Estimator, make_estimator
from l2l.optimizees import Family, Optimizee, live_part
from l2l.optimizers import LearnedOptimizer, Trainable, bind
from l2l.progress import Progress
from l2l.rng import stream

TRUE = UnrolledSettings(kind="unrolled", second_derivatives="kept")

Flat = NDArray[np.float64]


def meta_gradients(
    settings: MetaGradients, family: Family, optimizers: Mapping[str, LearnedOptimizer], seed: int
) -> pd.DataFrame:
    """Estimate meta-gradients for every stage, estimator and window.

    Args:
        settings: what is estimated, and how often.
        family: of `settings.problem`.
        optimizers: stage -> the learned optimizer as it is then.
        seed: the one seed of the run.

    Returns:
        A row for each (stage, estimator, window, repeat): norm of the estimate; cosine with the
        true gradient of the same problems, 1 where it points the same way; ratio, its norm over the
        true one's; noise, the distance from the mean over the repeats as a part of that mean's norm
        (by n / (n - 1), so that its mean square is the relative variance); bias, 1 - cosine of the
        means over the repeats, the same in all of them. Not finite where the estimate overflowed.
    """
    pairs = [
        (name, source.estimator, window)
        for name, source in settings.estimators.items()
        for window in settings.windows
    ]
    progress = Progress("meta-gradients", len(settings.stages) * settings.repeats, unit="estimate")
    tables = []
    for stage in settings.stages:
        found: dict[tuple[str, int], list[Flat]] = {(name, window): [] for name, _, window in pairs}
        true = []
        for repeat in range(settings.repeats):
            problems = _problems(settings, family, repeat, optimizers[stage])
            optimizer = bind(optimizers[stage], problems.places())
            names = (seed, "meta_gradients", stage, repeat)
            episode = (problems, optimizer, settings.steps)
            true.append(_estimate(make_estimator(TRUE), settings.steps, *episode, names))
            for name, kind, window in pairs:
                estimator = make_estimator(kind)
                whole = _estimate(estimator, window, *episode, (*names, name, window))
                found[name, window].append(whole)
            progress.advance()
        tables += [
            _table(np.stack(estimates), np.stack(true)).assign(
                stage=stage, estimator=name, window=window
            )
            for (name, window), estimates in found.items()
        ]
    progress.close()
    keys = ["stage", "estimator", "window", "repeat"]
    table = pd.concat(tables, ignore_index=True)
    return table[[*keys, *table.columns.difference(keys, sort=False)]]


def _problems(
    settings: MetaGradients, family: Family, repeat: int, optimizer: LearnedOptimizer
) -> Optimizee:
    indices = range(repeat * settings.problems, (repeat + 1) * settings.problems)
    problems = family.sample(("meta_gradients", settings.problem), indices, settings.steps)
    return live_part(problems, train_loss=False, couples=optimizer.settings.couples)


def _estimate(
    estimator: Estimator,
    window: int,
    problems: Optimizee,
    optimizer: Trainable,
    steps: int,
    names: tuple[int | str, ...],
) -> Flat:
    """The sum of the windows' gradients over an episode, flat [coordinates of phi]."""
    seed, *rest = names
    episode = Episode(
        problems,
        lambda losses, first: torch.ones_like(losses),
        stream(int(seed), *rest),
        None,
        problems.initial().new_zeros(estimator.remembers(steps)),
    )
    carry, total = estimator.begin(episode, optimizer), None
    for _ in range(steps // window):
        found = estimator.window(episode, optimizer, carry, window)
        carry = found.carry
        flat = _flat(found.gradient)
        total = flat if total is None else total + flat
    assert total is not None
    return total.double().cpu().numpy()


def _flat(gradient: dict[str, Tensor]) -> Tensor:
    """In one order, whatever the estimator's: that of the names."""
    return torch.cat([gradient[name].flatten() for name in sorted(gradient)])


def _table(estimates: Flat, true: Flat) -> pd.DataFrame:
    """The numbers of one estimator and window: [repeats, coordinates of phi] twice."""
    with np.errstate(all="ignore"):
        norms, mean = np.linalg.norm(estimates, axis=1), estimates.mean(axis=0)
        count = len(estimates)
        spread = np.linalg.norm(estimates - mean, axis=1) * np.sqrt(count / (count - 1))
        return pd.DataFrame(
            {
                "repeat": range(count),
                "norm": norms,
                "cosine": _cosine(estimates, true),
                "ratio": norms / np.linalg.norm(true, axis=1),
                "noise": spread / np.linalg.norm(mean),
                "bias": 1 - _cosine(mean[None], true.mean(axis=0)[None])[0],
                "bias_left_out": 1 - _cosine(_left_out(estimates), _left_out(true)),
            }
        )


def _cosine(a: Flat, b: Flat) -> Flat:
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def _left_out(values: Flat) -> Flat:
    """For each repeat the mean of all others, [repeats, coordinates of phi]."""
    return (values.sum(axis=0) - values) / (len(values) - 1)
