"""A learned optimizer with DistributedDataParallel: two processes on this machine.

    python examples/with_ddp.py

All processes have the same gradients after backward, so their optimizers take the same steps; save
the state_dict of one of them.
"""

from __future__ import annotations

import tempfile

import torch
from sklearn.datasets import load_digits
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

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
    parallel = DistributedDataParallel(model)
    optimizer = l2l.LearnedOptimizer(parallel.parameters(), steps=STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(images), (128,))[rank::PROCESSES]
        loss = nn.functional.cross_entropy(parallel(images[batch].float() / 16), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if rank == 0:
        right = model(images.float() / 16).argmax(dim=1) == labels
        print(f"accuracy {right.float().mean():.3f}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(main, args=(f"{folder}/store",), nprocs=PROCESSES)
