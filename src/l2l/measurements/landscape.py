"""The meta-loss along random directions of phi, for episodes of several lengths.

As in Metz et al. 2019, "Understanding and correcting pathologies in the training of learned
optimizers" (figure 2): L_T(phi + alpha d) is smooth for short episodes, and for long ones may be
rough or fall off a cliff, where its gradient explodes. L_T is the mean of the losses of steps 1 to
T on fixed problems and minibatches, so one run to the longest horizon gives all of them. d is drawn
from a normal distribution; each of its tensors is as long as that of phi, so alpha = 1 moves every
weight matrix by its own length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2l.config.measurements import META_SEED, Landscape
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import bind
from l2l.optimizers.base import Phi, UpdateRule
from l2l.problems import Family, Problem
from l2l.progress import Progress
from l2l.rng import stream

if TYPE_CHECKING:
    from l2l.run import Run


def measure(run: Run) -> pd.DataFrame:
    """The table of `landscape` for the trained optimizers that a run names.

    Raises:
        UserError: an optimizer is not trained.
    """
    settings: Landscape = run.config.measurements.landscape
    families, device = run.open_problems(settings.problems_of(run.config), "measure")
    optimizers = {
        name: run.trained(one.recipe, META_SEED, device) for name, one in settings.slices.items()
    }
    return landscape(settings, families, optimizers, run.config.seed)


def landscape(
    settings: Landscape,
    families: Mapping[str, Family],
    optimizers: Mapping[str, UpdateRule],
    seed: int,
) -> pd.DataFrame:
    """Meta-losses on lines through phi.

    Args:
        settings: where, and how long episodes are.
        families: problem of a slice -> its family.
        optimizers: slice -> the optimizer with its weights.
        seed: of the directions.

    Returns:
        A row for each (slice, direction, place, horizon, problem): place is alpha; loss the mean
        over steps 1 to the horizon. Not finite where a run overflowed.
    """
    places = np.linspace(-settings.reach, settings.reach, settings.points)
    total = len(settings.slices) * settings.directions * settings.points
    progress = Progress("landscape", total, unit="place")
    longest, tables = max(settings.horizons), []
    for name, one in settings.slices.items():
        indices, drawn = range(settings.problems), ("landscape", one.problem)
        problems = families[one.problem].sample(drawn, indices, longest)
        optimizer = bind(optimizers[name], problems.places())
        for direction in range(settings.directions):
            generator = stream(seed, "landscape", name, direction)
            way = random_direction(optimizer.phi, generator)
            for place in places.tolist():
                moved = {key: weight + place * way[key] for key, weight in optimizer.phi.items()}
                losses = losses_of(problems, optimizer.with_phi(moved), longest)
                so_far = losses.double().cumsum(dim=0).cpu().numpy()
                for horizon in settings.horizons:
                    means = {"problem": indices, "loss": so_far[horizon - 1] / horizon}
                    keys = {"slice": name, "direction": direction, "place": place}
                    tables.append(pd.DataFrame({**keys, "horizon": horizon, **means}))
                progress.advance()
    progress.close()
    return pd.concat(tables, ignore_index=True)


def losses_of(problems: Problem, optimizer: UpdateRule, steps: int) -> Tensor:
    """The losses of the steps of an episode, [T, B]."""
    losses: list[Tensor] = []
    carry = begin(problems, optimizer)
    rollout(problems, optimizer, carry, steps, lambda now: losses.append(now.loss))
    return torch.stack(losses)


def random_direction(phi: Phi, generator: torch.Generator) -> Phi:
    """A direction in which each tensor is as long as that of phi."""
    way = {}
    for name, weight in phi.items():
        drawn = torch.randn(weight.shape, generator=generator).to(weight)
        way[name] = drawn * (weight.norm() / drawn.norm().clamp(min=torch.finfo(drawn.dtype).tiny))
    return way
