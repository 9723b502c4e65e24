"""The command that times meta-training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from l2l.config.estimators import AdjointSettings
from l2l.config.optimizers import LSTMSettings, NormalisedSettings
from l2l.config.recipes import Recipe
from l2l.errors import UserError, known
from l2l.files import write_json
from l2l.provenance import cores
from l2l.run import Run

THREADS = 2
FRACTION = 0.1
"""Of the coordinates, where the recipe itself does not sample."""


def bench(
    run: Run,
    recipe: Annotated[
        str, typer.Argument(help="The recipe whose meta-training is timed.")
    ] = "mnist_paper",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer rounds, no ten million coordinates: a minute.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file as well.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", help="Of PyTorch and the kernels.", show_default="2, or 1 on one core"
        ),
    ] = None,
) -> None:
    """Time meta-training against plain PyTorch and against the machine's matrix product.

    About two minutes, and 9 GB of free memory for the largest size (left out where there is less).
    Windows have the length of the recipe's first stage; a recipe without sampling is also timed
    with 10 % of the coordinates. Fetches the recipe's data if need be.
    """
    config = run.config
    known("recipe", recipe, config.recipes)
    if threads is None:
        threads = min(THREADS, cores())
    if not 1 <= threads <= cores():
        raise UserError(f"--threads {threads}: this process has 1..{cores()} cores")
    if json is not None and json.is_dir():
        raise UserError(f"--json {json} is a folder: give the file a name")
    if json is not None and not json.absolute().parent.is_dir():
        raise UserError(f"--json {json}: there is no folder {json.absolute().parent}")

    import torch

    from l2l.bench import run_benchmark, summary
    from l2l.bench.workload import Workload

    settings = config.recipes[recipe]
    fits = [name for name, other in config.recipes.items() if _is_one_lstm(other)]
    if recipe not in fits:
        raise UserError(
            f"bench: {recipe} is not one LSTM that the adjoint trains; time one of "
            f"{', '.join(fits)}"
        )
    families, device = run.open_problems([settings.problem], "train")
    torch.set_num_threads(threads)
    fraction = settings.sampling.fraction if settings.sampling.fraction < 1 else FRACTION
    family = families[settings.problem]
    workload = Workload(recipe, settings, family, config.seed, device, fraction)
    result = run_benchmark(workload, device, quick)
    print(summary(result))
    if json is not None:
        write_json(json, result)


def _is_one_lstm(recipe: Recipe) -> bool:
    """Whether the recipe trains one LSTM, by the adjoint: the kernels serve nothing else."""
    optimizer = recipe.optimizer
    one = isinstance(optimizer, NormalisedSettings) or (
        isinstance(optimizer, LSTMSettings) and len(optimizer.groups) == 1
    )
    return one and not optimizer.couples and isinstance(recipe.estimator, AdjointSettings)
