"""The test of one optimizer, on test problems that no training or tuning has seen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from l2l.config.experiments import Experiment
from l2l.evaluation.metrics import HANDCRAFTED
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import Optimizer, UpdateRule, bind
from l2l.problems import Family, Problem, StyledPictures, live_part
from l2l.progress import Progress


@dataclass(frozen=True)
class Outcome:
    """The results of a test.

    Attributes:
        curves: a tidy table, see `evaluate`.
        pictures: family -> pictures of the first test problems, for families whose theta is a
            picture.
    """

    curves: pd.DataFrame
    pictures: dict[str, StyledPictures]


def evaluate(
    name: str,
    experiment: Experiment,
    families: Mapping[str, Family],
    optimizer_name: str,
    optimizers: Mapping[str, Optimizer],
    meta_seed: int = HANDCRAFTED,
) -> Outcome:
    """Run an optimizer on the experiment's test problems.

    Args:
        name: the experiment's name.
        experiment: the number of steps and the settings of the evaluation.
        families: name of a problem in the configuration -> its family; every optimizer is tested
            on the same problems.
        optimizer_name: its key in the table.
        optimizers: the same names -> the trained optimizer, or the one tuned on this family.
        meta_seed: of a trained optimizer.

    Returns:
        The curves, with a tidy row for each (family, problem, step): experiment, family (name of
        the problem in the configuration), problem (its number), optimizer, meta_seed, step (0 is
        before the first update), coordinates (of theta), weights (of phi, 0 for a hand-crafted
        optimizer), loss, train_loss, test_loss. Losses are infinite where the optimizer diverged.
        train_loss and test_loss are measured at every `measure_every`-th step, and from the
        experiment's horizon on at every step; elsewhere they are NaN. test_loss is NaN without
        held-out data. The pictures are of as many test problems as the experiment keeps, at most
        those of the first batch.
    """
    label = f"evaluate {optimizer_name}" + (f" seed {meta_seed}" if meta_seed >= 0 else "")
    settings = experiment.evaluation
    starts = range(0, settings.problems, settings.batch)
    progress = Progress(f"{label} on {name}", len(families) * len(starts), unit="batch")
    tables, pictures = [], {}
    for (family_name, family), start in itertools.product(families.items(), starts):
        indices = range(start, min(start + settings.batch, settings.problems))
        whole = family.sample(("test", family_name), indices, experiment.steps)
        optimizer = optimizers[family_name]
        problems = live_part(whole, couples=_couples(optimizer))
        curves, theta = _run(problems, bind(optimizer, problems.places()), experiment)
        if start == 0 and settings.pictures and (painted := problems.pictures(theta)):
            pictures[family_name] = painted.first(settings.pictures)
        steps = experiment.steps + 1
        tables.append(
            pd.DataFrame(
                {
                    "experiment": name,
                    "family": family_name,
                    "problem": np.repeat(np.array(indices), steps),
                    "optimizer": optimizer_name,
                    "meta_seed": meta_seed,
                    "step": np.tile(np.arange(steps), len(indices)),
                    "coordinates": whole.coordinates,
                    "weights": sum(w.numel() for w in getattr(optimizer, "phi", {}).values()),
                    **{key: values.T.flatten().cpu().numpy() for key, values in curves.items()},
                }
            )
        )
        progress.advance()
    progress.close()
    return Outcome(pd.concat(tables, ignore_index=True), pictures)


def _couples(optimizer: Optimizer) -> bool:
    return isinstance(optimizer, UpdateRule) and optimizer.settings.couples


def _run(
    problems: Problem, optimizer: Optimizer, experiment: Experiment
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The three losses after 0..steps updates, [steps + 1, B] each, and the last theta."""
    curves: dict[str, list[torch.Tensor]] = {"loss": [], "train_loss": [], "test_loss": []}

    def observe(carry: Carry) -> None:
        losses = {"loss": carry.loss}
        every = experiment.evaluation.measure_every
        if carry.step >= experiment.horizon or carry.step % every == 0:
            losses["train_loss"] = problems.train_loss(carry.theta)
            test_loss = problems.test_loss(carry.theta)
            if test_loss is not None:
                losses["test_loss"] = test_loss
        not_measured = torch.full_like(carry.loss, torch.nan)
        for key, values in curves.items():
            values.append(_infinite_where_nan(losses[key]) if key in losses else not_measured)

    carry = begin(problems, optimizer)
    observe(carry)
    end = rollout(problems, optimizer, carry, experiment.steps, observe)
    return {key: torch.stack(values) for key, values in curves.items()}, end.theta


def _infinite_where_nan(loss: torch.Tensor) -> torch.Tensor:
    """Losses that diverged become infinite, because NaN in the table means not measured."""
    return loss.masked_fill(loss.isnan(), torch.inf)
