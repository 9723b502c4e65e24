"""The test: one optimizer on test problems that nothing was tuned or trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from l2l.config.schema import Evaluation, Experiment
from l2l.evaluation.metrics import HANDCRAFTED
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizees import Family, Optimizee, live_part
from l2l.optimizers import Optimizer
from l2l.progress import Progress

TRAIN_LOSS_EVERY = 10  # steps, before the horizon: on MNIST it costs as much as an LSTM's step


def evaluate(
    name: str,
    experiment: Experiment,
    settings: Evaluation,
    family: Family,
    optimizer_name: str,
    optimizer: Optimizer,
    meta_seed: int = HANDCRAFTED,
) -> pd.DataFrame:
    """Run an optimizer on the experiment's test problems.

    Args:
        name: the experiment's name.
        experiment: problem and number of steps.
        settings: how many problems, how many at once.
        family: where the test problems come from; all optimizers get the same.
        optimizer_name: its key in the table.
        optimizer: the tuned or trained optimizer.
        meta_seed: of a trained one.

    Returns:
        One tidy row for each (problem, step): experiment, problem, optimizer, meta_seed, step
        (0 is before the first update), loss, train_loss. The last is measured at every step from
        the experiment's horizon on and at every tenth before it; elsewhere it is NaN.
    """
    label = f"evaluate {optimizer_name}" + (f" seed {meta_seed}" if meta_seed >= 0 else "")
    starts = range(0, settings.problems, settings.batch)
    progress = Progress(f"{label} on {name}", len(starts), unit="batch")
    tables = []
    for start in starts:
        indices = range(start, min(start + settings.batch, settings.problems))
        names = ("test", experiment.problem)
        problems = live_part(family.sample(names, indices, experiment.steps))
        loss, train_loss = _curves(problems, optimizer, experiment)
        steps = experiment.steps + 1
        tables.append(
            pd.DataFrame(
                {
                    "experiment": name,
                    "problem": np.repeat(np.array(indices), steps),
                    "optimizer": optimizer_name,
                    "meta_seed": meta_seed,
                    "step": np.tile(np.arange(steps), len(indices)),
                    "loss": loss.T.flatten().cpu().numpy(),
                    "train_loss": train_loss.T.flatten().cpu().numpy(),
                }
            )
        )
        progress.advance()
    progress.close()
    return pd.concat(tables, ignore_index=True)


def _curves(
    problems: Optimizee, optimizer: Optimizer, experiment: Experiment
) -> tuple[torch.Tensor, torch.Tensor]:
    """loss and train_loss after 0..steps updates, [steps + 1, B] each."""
    losses, train_losses = [], []

    def observe(carry: Carry) -> None:
        losses.append(carry.loss)
        measured = carry.step >= experiment.horizon or carry.step % TRAIN_LOSS_EVERY == 0
        train_losses.append(
            problems.train_loss(carry.theta) if measured else torch.full_like(carry.loss, torch.nan)
        )

    carry = begin(problems, optimizer)
    observe(carry)
    rollout(problems, optimizer, carry, experiment.steps, observe)
    return torch.stack(losses), torch.stack(train_losses)
