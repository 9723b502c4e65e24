"""A full disk, and folders that cannot be written: one line, and what was good is still there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.command import assert_refused, l2l
from tests.chaos.folders import RECIPE, fill_up, prepared, read_only, small, small_disk
from tests.data.helpers import contents
from tests.workflow.harness import SMOKE, copy_workflow

LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def mnist(mnist_directory: Path) -> Path:
    return mnist_directory / "mnist"


def test_a_training_on_a_full_disk_is_one_line_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    command = ("train", RECIPE, "--seed", "0", *small())
    calm = prepared(tmp_path / "calm") / "seed0" / "optimizer.safetensors"
    assert l2l(tmp_path / "calm", *command)[0] == 0
    disk = tmp_path / "disk"
    with small_disk(disk, 2):
        found = prepared(disk) / "seed0" / "optimizer.safetensors"
        found.parent.mkdir()
        found.write_bytes(b"of an earlier run")
        filler = fill_up(disk)
        before = contents(disk)
        assert_refused(l2l(disk, *command), "seed0/", "No space left on device", "make room")
        assert contents(disk) == before
        filler.unlink()
        assert l2l(disk, *command)[0] == 0
        assert found.read_bytes() == calm.read_bytes()


@pytest.mark.workflow
def test_a_replication_on_a_full_disk_ends_with_one_line_and_runs_when_there_is_room(
    tmp_path: Path, mnist_directory: Path
) -> None:
    wanted = (*SMOKE, "--", "optimizer_loop")
    disk = tmp_path / "disk"
    with small_disk(disk, 4):
        workflow = copy_workflow(disk, mnist_directory)
        filler = fill_up(disk)
        done = workflow.run(*wanted)
        assert done.returncode == 2
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("l2l: "))
        assert ".snakemake/drawn.json" in line
        assert "No space left on device; make room" in line
        filler.unlink()
        done = workflow.run(*wanted)
        assert done.returncode == 0, done.stderr[-3000:]
        assert (disk / "figures/smoke/optimizer_loop.png").stat().st_size > 1000


def test_data_that_cannot_be_mended_on_a_full_disk_are_one_line(
    tmp_path: Path, mnist: Path, gzipped_labels: bytes
) -> None:
    """The plain copy is damaged, the gzipped one good: the plain one should be written anew."""
    disk = tmp_path / "disk"
    with small_disk(disk, 64):
        folder = disk / "data" / "mnist"
        folder.mkdir(parents=True)
        for path in mnist.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / LABELS).write_bytes(b"cut")
        (folder / f"{LABELS}.gz").write_bytes(gzipped_labels)
        fill_up(disk)
        before = contents(folder)
        outcome = l2l(tmp_path, "data", "mnist", L2L_DATA_DIR=str(folder.parent))
        assert_refused(outcome, f"{folder / LABELS}: No space left on device", "make room")
        assert contents(folder) == before


def test_results_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    prepared(tmp_path)
    with read_only(tmp_path / "results/smoke/training" / RECIPE):
        assert_refused(l2l(tmp_path, "train", RECIPE, "--seed", "0", *small()), "seed0", "")
    assert not (tmp_path / "results/smoke/training" / RECIPE / "seed0").exists()


def test_a_read_only_data_folder_is_read_and_never_written(tmp_path: Path, mnist: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for path in mnist.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with read_only(folder):
        code, said = l2l(tmp_path, "data", "mnist", L2L_DATA_DIR=str(folder.parent))
        assert (code, said) == (0, "")
    damaged = next(folder.glob("train-labels*"))
    damaged.write_bytes(damaged.read_bytes()[:1000])
    before = contents(folder)
    with read_only(folder):
        outcome = l2l(tmp_path, "data", "mnist", L2L_DATA_DIR=str(folder.parent))
        assert_refused(outcome, f"cannot write into {folder}", "L2L_DATA_DIR")
        assert f"{damaged} is corrupt" in outcome[1]
    assert contents(folder) == before
