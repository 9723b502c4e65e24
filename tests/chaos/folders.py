"""Folders that are ready for a small meta-training, full, or not to be written into."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RECIPE = "quadratics_lstm"


def small(episodes: int = 6) -> tuple[str, ...]:
    """Options of a meta-training that takes a moment."""
    changes = f"recipes.{RECIPE}={{meta_seeds: 2, episodes: {episodes}}}"
    return ("--protocol=smoke", f"--set={changes}")


def prepared(folder: Path) -> Path:
    """Make a folder in which the meta-training can begin; where its outputs will lie."""
    training = folder / f"results/smoke/training/{RECIPE}"
    training.mkdir(parents=True)
    rate = json.dumps({"meta_learning_rate": 0.003, "trials": []})
    (training / "meta_learning_rate.json").write_text(rate)
    return training


@contextmanager
def mounted(*arguments: str | Path) -> Iterator[None]:
    """`mount`, and `umount` at the end; skips the test where that is not allowed."""
    words = [str(argument) for argument in arguments]
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mount does not work here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", words[-1]], check=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system in memory in a new folder's place."""
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder):
        yield


def fill_up(folder: Path) -> Path:
    """Leave no room on the folder's file system; the file that takes it all."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return path


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be written into the folder: not even by root, who heeds no permissions."""
    if os.geteuid() == 0:
        with mounted("--bind", folder, folder):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
            yield
        return
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(0o700)
