"""Parameters of which each process has a shard, as fully_shard (FSDP2) makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

import l2l
from l2l.errors import UserError

PROCESSES, STEPS = 2, 6
SHAPES = [(5, 3), (1, 4), (8,)]  # the second has nothing for the second process


def _train(shard: Any, restart: bool) -> list[Tensor]:
    """The parameters after some steps, on gradients that do not depend on them."""
    generator = torch.Generator().manual_seed(0)

    def draw(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator)

    parameters = [torch.nn.Parameter(shard(0.1 * draw(shape))) for shape in SHAPES]
    optimizer = l2l.LearnedOptimizer(parameters, steps=STEPS)
    for step in range(STEPS):
        if restart and step == STEPS // 2:
            state = optimizer.state_dict()
            optimizer = l2l.LearnedOptimizer(parameters, steps=STEPS)
            optimizer.load_state_dict(state)
        for parameter, shape in zip(parameters, SHAPES, strict=True):
            parameter.grad = shard(draw(shape))
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


def _of_a_process(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=PROCESSES
    )
    mesh = init_device_mesh("cpu", (PROCESSES,))

    def shard(tensor: Tensor) -> Any:
        return distribute_tensor(tensor, mesh, [Shard(0)])

    whole = [parameter.full_tensor() for parameter in _train(shard, restart=True)]  # type: ignore[attr-defined]
    alone = torch.nn.Parameter(shard(torch.ones(4)))
    alone.grad = shard(torch.ones(4))
    refused = ""
    try:
        l2l.LearnedOptimizer([alone], "hierarchical").step()
    except UserError as error:
        refused = str(error)
    if rank == 0:
        torch.save((whole, refused), f"{folder}/result")
    distributed.destroy_process_group()


def test_shards_move_as_the_whole_does(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_of_a_process, args=(str(tmp_path),), nprocs=PROCESSES)
    found, refused = torch.load(tmp_path / "result")
    for shards, whole in zip(found, _train(lambda tensor: tensor, restart=False), strict=True):
        torch.testing.assert_close(shards, whole, rtol=1e-5, atol=1e-7)
    assert "no process has all of a sharded one" in refused
