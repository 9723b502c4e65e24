"""Regression on a table of real data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from l2l.config.problems import TableSettings
from l2l.data.scikit_learn import Table
from l2l.errors import UserError
from l2l.problems.base import Setup
from l2l.problems.regression import SAMPLE, RegressionFamily
from l2l.registry import DATASETS, resolve
from l2l.rng import stream


@dataclass(frozen=True)
class TableFamily(RegressionFamily):
    """Networks on the rows of a table, whose columns have mean 0 and variance 1.

    Attributes:
        rows: inputs and, last, the target, float32 [rows, columns + 1].
    """

    settings: TableSettings  # type: ignore[assignment]
    rows: Tensor

    @classmethod
    def load(cls, settings: TableSettings, setup: Setup) -> Self:  # type: ignore[override]
        """The family, with its data; see `Family.load`."""
        table = resolve(DATASETS[settings.dataset]).load(setup.directory)
        if not isinstance(table, Table):
            raise UserError(f"dataset = {settings.dataset}: it is not a table; give one that is")
        rows = np.column_stack([table.inputs, table.targets])
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        return cls(settings, setup.seed, setup.device, torch.from_numpy(rows.astype(np.float32)))

    @property
    def dimensions(self) -> int:
        """Columns of the inputs."""
        return self.rows.shape[1] - 1

    def data(self, names: Sequence[str | int], index: int, steps: int) -> tuple[Tensor, Tensor]:
        """Rows drawn with replacement for each step, then all rows in turn for `train_loss`."""
        data, count = stream(self.seed, *names, "minibatch", index), len(self.rows)
        seen = torch.randint(count, ((steps + 1) * self.settings.batch_size,), generator=data)
        rows = self.rows[torch.cat([seen, torch.arange(SAMPLE) % count])]
        return rows[:, :-1], rows[:, -1]
