"""`l2l data` for every dataset: the record, and no more imports than that dataset needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.data.helpers import fill

from l2l.data.photographs import STAND_IN
from l2l.data.vgg16 import NAME
from l2l.registry import DATASETS


def command(folder: Path, dataset: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does; at its end it lists what has been imported."""
    code = (
        "import atexit, sys; from l2l.cli import main\n"
        f"atexit.register(lambda: print(*sys.modules)); sys.argv = ['l2l', 'data', {dataset!r}]\n"
        "main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("dataset", "subfolder", "stand_in"),
    [("photographs", "photos128", STAND_IN), ("styles", "styles", "pictures inside scikit-image")],
)
def test_the_record_says_that_a_stand_in_is_used(
    dataset: str, subfolder: str, stand_in: str, tmp_path: Path
) -> None:
    data = tmp_path / "sets" / subfolder
    data.mkdir(parents=True)
    fill(data, {"stand-in.txt": b"no network"})
    done = command(tmp_path, dataset, L2L_DATA_DIR=str(data.parent))
    assert done.returncode == 0, done.stderr
    assert str(data / "stand-in.txt") in done.stderr
    (path,) = (tmp_path / "results").glob(f"*/data/{dataset}.json")
    record = json.loads(path.read_text())
    assert (record["name"], record["stand_in"]) == (dataset, stand_in)
    assert not {"onnx", "torch", "skimage", "sklearn"} & set(done.stdout.split())


def test_the_weights_have_their_digest_in_their_name(tmp_path: Path) -> None:
    done = command(tmp_path, NAME, L2L_DATA_DIR=str(tmp_path / "no" / "such"))
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"cannot write into {tmp_path}/no/such/vgg16" in done.stderr
    assert "onnx" not in done.stdout.split()


def test_an_unknown_dataset_is_one_line_with_the_known_ones(tmp_path: Path) -> None:
    done = command(tmp_path, "imagenet")
    assert done.returncode != 0
    assert f"there are: {', '.join(DATASETS)}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
