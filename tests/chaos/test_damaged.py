"""Damaged and exchanged files, with the commands that a user gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.chaos.command import assert_refused, l2l
from tests.chaos.folders import RECIPE, prepared, small
from tests.chaos.network import without_network
from tests.data.helpers import contents, flipped


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two meta-seeds of a recipe, trained."""
    folder = tmp_path_factory.mktemp("trained")
    prepared(folder)
    for seed in ("0", "1"):
        code, said = l2l(folder, "train", RECIPE, "--seed", seed, *small())
        assert code == 0, said
    return folder


@pytest.mark.parametrize(
    ("damage", "told"),
    [("truncated", "not a checkpoint"), ("one byte", "checksum"), ("swapped", "meta-seed 1")],
)
def test_a_damaged_or_exchanged_optimizer_is_not_used(
    damage: str, told: str, trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    seeds = [
        folder / f"results/smoke/training/{RECIPE}/seed{seed}/optimizer.safetensors"
        for seed in (0, 1)
    ]
    good = [path.read_bytes() for path in seeds]
    if damage == "swapped":
        seeds[0].write_bytes(good[1])
        seeds[1].write_bytes(good[0])
    else:
        seeds[0].write_bytes(good[0][:3000] if damage == "truncated" else flipped(good[0], -1000))
    before = contents(folder)
    outcome = l2l(folder, "evaluate", "quadratics", RECIPE, "--seed", "0", *small())
    assert_refused(outcome, "training/quadratics_lstm/seed0/optimizer.safetensors", told, "delete")
    assert contents(folder) == before


def test_exchanged_data_files_are_not_used(tmp_path: Path, mnist_directory: Path) -> None:
    """Labels of the training set in the place of the test set's and the reverse; no network."""
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for path in (mnist_directory / "mnist").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    one, other = (next(folder.glob(f"{part}-labels-idx1-ubyte*")) for part in ("train", "t10k"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    before = contents(folder)
    outcome = l2l(
        *(tmp_path, "data", "mnist"),
        before=without_network(),
        L2L_DATA_DIR=str(folder.parent),
        npm_config_cache=str(tmp_path / "npm"),
    )
    assert_refused(outcome, "train-labels-idx1-ubyte is corrupt", "t10k-labels-idx1-ubyte is c")
    assert contents(folder) == before
    assert not (tmp_path / "results").exists()
