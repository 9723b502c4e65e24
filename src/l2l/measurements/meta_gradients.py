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
from l2l.config.measurements import MetaGradients
from l2l.estimators import Episode, Estimator, make_estimator
from l2l.optimizers import UpdateRule, bind
from l2l.problems import Family, Problem, live_part
from l2l.progress import Progress
from l2l.rng import stream

TRUE = UnrolledSettings(kind="unrolled", second_derivatives="kept")

Flat = NDArray[np.float64]


def meta_gradients(
    settings: MetaGradients, family: Family, optimizers: Mapping[str, UpdateRule], seed: int
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
        true one's. Of all repeats, the same in all of their rows: noise, the relative standard
        deviation (see `relative_noise`); bias, 1 - cosine of the means. noise_left_out and
        bias_left_out: the same without the row's repeat, for the jackknife. Not finite where an
        estimate overflowed.
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
    settings: MetaGradients, family: Family, repeat: int, optimizer: UpdateRule
) -> Problem:
    indices = range(repeat * settings.problems, (repeat + 1) * settings.problems)
    problems = family.sample(("meta_gradients", settings.problem), indices, settings.steps)
    return live_part(problems, train_loss=False, couples=optimizer.settings.couples)


def _estimate(
    estimator: Estimator,
    window: int,
    problems: Problem,
    optimizer: UpdateRule,
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
                "noise_left_out": [relative_noise(kept) for kept in others],
                "bias": _bias(estimates, true),
                "bias_left_out": [_bias(*kept) for kept in zip(others, true_others, strict=True)],
            }
        )


def relative_noise(estimates: Flat) -> float:
    """The standard deviation of an estimate, divided by the length of its expectation.

    With S^2 = sum_i |e_i - mean|^2 / (n - 1), the mean of n estimates is longer than the
    expectation by noise: E |mean|^2 = |E e|^2 + S^2 / n. That is taken off.

    Args:
        estimates: independent, [n, coordinates of phi], n >= 2.

    Returns:
        S / sqrt(|mean|^2 - S^2 / n); infinite where the mean cannot be told from zero.
    """
    count, mean = len(estimates), estimates.mean(axis=0)
    variance = float(((estimates - mean) ** 2).sum()) / (count - 1)
    squared = float((mean**2).sum()) - variance / count
    if squared > 0:
        return float(np.sqrt(variance / squared))
    return float("nan") if np.isnan(squared) else float("inf")


def _bias(estimates: Flat, true: Flat) -> float:
    """1 - cosine of the means, 0 to 2."""
    cosine = _cosine(estimates.mean(axis=0)[None], true.mean(axis=0)[None])[0]
    return float(np.clip(1 - cosine, 0, 2))


def _cosine(a: Flat, b: Flat) -> Flat:
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
