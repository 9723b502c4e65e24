"""A learned optimizer with fully_shard (FSDP2): two processes, each with half of every parameter.

    python examples/with_fsdp2.py

Each process keeps the state of its shards alone: save and load a state_dict for each process.
"""

from __future__ import annotations

import tempfile

import torch
from sklearn.datasets import load_digits
from torch import distributed, nn
from torch.distributed.fsdp import fully_shard

import l2l

PROCESSES, STEPS = 2, 100


def main(rank: int, store: str) -> None:
    """Train on this process's share of each minibatch."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=PROCESSES
    )
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    mesh = distributed.device_mesh.init_device_mesh("cpu", (PROCESSES,))
    for layer in model:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = l2l.LearnedOptimizer(model.parameters(), steps=STEPS)  # after fully_shard
    for _ in range(STEPS):
        batch = torch.randint(len(images), (128,))[rank::PROCESSES]
        loss = nn.functional.cross_entropy(model(images[batch].float() / 16), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = model(images.float() / 16).argmax(dim=1) == labels  # all processes take part
    if rank == 0:
        print(f"accuracy {right.float().mean():.3f}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(main, args=(f"{folder}/store",), nprocs=PROCESSES)
