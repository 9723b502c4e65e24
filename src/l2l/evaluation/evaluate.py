"""The test of one optimizer, on test problems that no training or tuning has seen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes

from l2l.config.experiments import Experiment
from l2l.errors import UserError
from l2l.evaluation.metrics import HANDCRAFTED
from l2l.files import write_bytes
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import Optimizer, UpdateRule, bind
from l2l.problems import Family, Problem, StyledPictures, live_part
from l2l.progress import Progress

PUBLISHABLE = "publishable"
"""The key of a file's metadata that says whether its pictures may be published."""


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
    rate_for: str = "",
) -> Outcome:
    """Run an optimizer on the experiment's test problems.

    Args:
        name: the experiment's name.
        experiment: the number of steps and the settings of the evaluation.
        families: name of a problem in the configuration -> its family; every optimizer is tested
            on the same problems.
        optimizer_name: its key in the table.
        optimizers: the same names, or some -> the trained optimizer, or the one tuned on this
            family.
        meta_seed: of a trained optimizer.
        rate_for: what the learning rate of a hand-crafted one was chosen for, see
            `l2l.evaluation.rates`.

    Returns:
        The curves, with a tidy row for each (family, problem, step): experiment, family (name of
        the problem in the configuration), problem (its number), optimizer, meta_seed, rate_for,
        step (0 is before the first update), coordinates (of theta), weights (of phi, 0 for a
        hand-crafted optimizer), loss, train_loss, test_loss. Losses are infinite where the
        optimizer diverged. train_loss and test_loss are measured where `Experiment.measures` says
        so; elsewhere they are NaN. test_loss is NaN without
        held-out data. The pictures are of as many test problems as the experiment keeps, at most
        those of the first batch.
    """
    label = f"evaluate {optimizer_name}" + (f" seed {meta_seed}" if meta_seed >= 0 else "")
    settings = experiment.evaluation
    starts = range(0, settings.problems, settings.batch)
    progress = Progress(f"{label} on {name}", len(optimizers) * len(starts), unit="batch")
    tables, pictures = [], {}
    for family_name, start in itertools.product(optimizers, starts):
        family = families[family_name]
        indices = range(start, min(start + settings.batch, settings.problems))
        whole = family.sample(("test", family_name), indices, experiment.steps)
        optimizer = optimizers[family_name]
        problems = live_part(whole, couples=_couples(optimizer))
        curves, theta = _run(
            problems, bind(optimizer, problems.places(), experiment.steps), experiment
        )
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
                    "rate_for": rate_for,
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
        if experiment.measures(carry.step):
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


def write_pictures(path: Path, pictures: Mapping[str, StyledPictures], publishable: bool) -> None:
    """Write the pictures of each family: tensors <family>/content, /styled and /style.

    Args:
        path: of the safetensors file, which is written atomically.
        pictures: family -> its pictures, with styles of one size.
        publishable: whether the pictures may be published; the file's metadata say so.
    """
    tensors: dict[str, torch.Tensor] = {}
    for family, each in pictures.items():
        tensors[f"{family}/content"] = each.content.contiguous()
        tensors[f"{family}/styled"] = each.styled.contiguous()
        tensors[f"{family}/style"] = torch.stack(each.style)
    write_bytes(path, as_bytes(tensors, {PUBLISHABLE: str(publishable)}))


def may_be_published(path: Path) -> bool:
    """Whether a file says that its pictures may be published."""
    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get(PUBLISHABLE) == str(True)


def read_pictures(path: Path) -> dict[str, StyledPictures]:
    """The pictures in a file: family -> its pictures.

    Raises:
        UserError: the file is missing or damaged.
    """
    if not path.exists():
        raise UserError(f"{path} is missing: run l2l evaluate first")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run l2l evaluate") from error
    families = dict.fromkeys(name.rpartition("/")[0] for name in tensors)
    return {
        family: StyledPictures(
            tensors[f"{family}/content"],
            tensors[f"{family}/styled"],
            tuple(tensors[f"{family}/style"]),
        )
        for family in families
    }
