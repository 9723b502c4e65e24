"""How meta-gradients depend on the window: norm, variance, and direction (claim C16).

phi is fixed. An estimate is the sum of the gradients of an episode's windows, the mean over its
problems. With one window for the whole episode and with second derivatives, it is the gradient of
the episode's meta-loss (equation 4, w = 1); all others are compared to it on the same problems.
Noise relative to the expected gradient would be 0 / 0 where meta-training has ended, so variance is
absolute: for m problems in each half of an estimate, with means a and b,

    E m / 2 |a - b|^2 = trace of the covariance of one problem's gradient,

in squared units of the meta-loss by phi. Every column is of one repeat alone, so repeats are
independent and pair different windows.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from l2l.config.estimators import UnrolledSettings
from l2l.config.measurements import META_SEED, MetaGradients
from l2l.estimators import Episode, Estimator, make_estimator
from l2l.optimizers import UpdateRule, bind
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
    families, device = run.open_problems(settings.problems_of(config), "measure")
    optimizers = {
        name: run.trained(stage.recipe, META_SEED, device)
        for name, stage in settings.stages.items()
    }
    return meta_gradients(settings, families, optimizers, config.seed)


def meta_gradients(
    settings: MetaGradients,
    families: Mapping[str, Family],
    optimizers: Mapping[str, UpdateRule],
    seed: int,
) -> pd.DataFrame:
    """Estimate meta-gradients for every stage, estimator and window.

    Args:
        settings: what is estimated, and how often.
        families: problem of a stage -> its family.
        optimizers: stage -> the learned optimizer with its weights at that stage.
        seed: the seed of the run.

    Returns:
        A row for each (stage, estimator, window, repeat): norm of the estimate; variance of the
        gradient of one problem (see the module); cosine of the estimate with the true gradient on
        the same problems, 1 for the same direction; agreement, (1 + cosine) / 2, the same as a
        number that is not negative. Not finite where an estimate overflowed.
    """
    progress = Progress("meta-gradients", len(settings.stages) * settings.repeats, unit="estimate")
    tables = []
    for stage, entry in settings.stages.items():
        family, optimizer = families[entry.problem], optimizers[stage]
        pairs = [
            (name, source.estimator, window)
            for name, source in settings.estimators_at(stage).items()
            for window in settings.windows
        ]
        estimates: dict[tuple[str, int], list[Flat]] = {(name, w): [] for name, _, w in pairs}
        true = []
        for repeat in range(settings.repeats):
            halves = _halves(settings, stage, family, optimizer, repeat)
            names = (seed, "meta_gradients", stage, repeat)
            whole = make_estimator(TRUE)
            true.append(_estimates(whole, settings.steps, halves, settings.steps, names))
            for name, kind, window in pairs:
                estimator, named = make_estimator(kind), (*names, name, window)
                found = _estimates(estimator, window, halves, settings.steps, named)
                estimates[name, window].append(found)
            progress.advance()
        each = entry.problems // 2
        tables += [
            _table(np.stack(found), np.stack(true), each).assign(
                stage=stage, estimator=name, window=window
            )
            for (name, window), found in estimates.items()
        ]
    progress.close()
    keys = ["stage", "estimator", "window", "repeat"]
    table = pd.concat(tables, ignore_index=True)
    return table[[*keys, *table.columns.difference(keys, sort=False)]]


def _halves(
    settings: MetaGradients, stage: str, family: Family, optimizer: UpdateRule, repeat: int
) -> list[tuple[Problem, UpdateRule]]:
    """The problems of a repeat in two halves, and the optimizer bound to each."""
    name, each = settings.stages[stage].problem, settings.stages[stage].problems // 2
    halves = []
    for half in (2 * repeat, 2 * repeat + 1):
        indices = range(half * each, (half + 1) * each)
        sampled = family.sample(("meta_gradients", name), indices, settings.steps)
        problems = live_part(sampled, train_loss=False, couples=optimizer.settings.couples)
        halves.append((problems, bind(optimizer, problems.places())))
    return halves


def _estimates(
    estimator: Estimator,
    window: int,
    halves: Sequence[tuple[Problem, UpdateRule]],
    steps: int,
    named: tuple[int | str, ...],
) -> Flat:
    """The estimates on both halves, [2, coordinates of phi]."""
    found = [
        _estimate(estimator, window, *half, steps, (*named, number))
        for number, half in enumerate(halves)
    ]
    return np.stack(found)


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


def _table(estimates: Flat, true: Flat, each: int) -> pd.DataFrame:
    """The columns of one estimator and window.

    Args:
        estimates: of both halves, [repeats, 2, coordinates of phi].
        true: the true gradients, likewise.
        each: problems of a half.
    """
    with np.errstate(all="ignore"):
        means, targets = estimates.mean(axis=1), true.mean(axis=1)
        norms = np.linalg.norm(means, axis=1)
        cosines = (means * targets).sum(axis=1) / (norms * np.linalg.norm(targets, axis=1))
        cosines = np.clip(cosines, -1, 1)
        apart = np.linalg.norm(estimates[:, 0] - estimates[:, 1], axis=1)
    return pd.DataFrame(
        {
            "repeat": range(len(estimates)),
            "norm": norms,
            "variance": each / 2 * apart**2,
            "cosine": cosines,
            "agreement": (1 + cosines) / 2,
        }
    )
