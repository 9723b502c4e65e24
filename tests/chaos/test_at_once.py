"""The same thing started twice at once: both end well, with the bits of one alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
from tests.chaos.folders import RECIPE, prepared, small
from tests.data.helpers import contents, together

# Its state is saved after every episode: the two write the same file all the time.
TRAIN = """
import sys
from l2l.cli import main
from l2l.meta import train
train.SECONDS_BETWEEN_SAVES = 0.0
sys.argv[0] = "l2l"
main()
"""


def test_two_trainings_of_the_same_run(tmp_path: Path) -> None:
    command = ("train", RECIPE, "--seed", "0", *small(episodes=15))
    calm, twice = prepared(tmp_path / "calm"), prepared(tmp_path / "twice")
    subprocess.run([sys.executable, "-c", TRAIN, *command], cwd=tmp_path / "calm", check=True)
    together(TRAIN, *command, folder=tmp_path / "twice")
    expected, found = contents(calm / "seed0"), contents(twice / "seed0")
    assert expected.keys() == found.keys() == {"optimizer.safetensors", "log.csv", "summary.json"}
    assert found["optimizer.safetensors"] == expected["optimizer.safetensors"]
    logs = [pd.read_csv(folder / "seed0/log.csv", dtype=str) for folder in (calm, twice)]
    assert logs[0].drop(columns="seconds").equals(logs[1].drop(columns="seconds"))
