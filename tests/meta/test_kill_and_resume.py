"""A real kill -9 at a random moment of a meta-training, in a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

EPISODES = 150
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
import torch
from l2l.meta import train as module
from l2l.optimizers import checkpoint
from tests.small import CPU, quadratic_family, recipe

torch.set_num_threads(1)
module.SECONDS_BETWEEN_SAVES = 0.0
folder, episodes = Path(sys.argv[1]), int(sys.argv[2])
chosen = recipe(
    episodes=episodes,
    unroll=[{"start": 0, "window": 5}, {"start": 0.4, "window": 20}],
    loss_weights="inverse",
    clip="running_median",
    averaging=0.95,
    validation={"every": 10, "problems": 8},
    meta_learning_rate={"schedule": "cosine", "final_fraction": 0.1},
)
training = module.Training("some", chosen, 0.005, ("seed", 0), 0, CPU, episodes, "some")
state = module.train(training, quadratic_family(6), folder / "training.state", "digest")
for row in state.rows:
    del row["seconds"]
(folder / "log.json").write_text(json.dumps(state.rows))
checkpoint.save(folder / "optimizer.safetensors", training.optimizer(state.best), {})
checkpoint.save(folder / "last.safetensors", training.optimizer(state.phi), {})
"""
RESULTS = ("log.json", "optimizer.safetensors", "last.safetensors")


def _start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PROGRAM, str(folder), str(EPISODES)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def _episodes_in(state: Path) -> int:
    """Read by hand, because the file may be replaced at any moment."""
    content = state.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"]["numbers"])["episode"]


def _kill(process: subprocess.Popen[str], state: Path, episode: int) -> int:
    """Kill -9 at a random moment soon after this episode was saved; the episodes in the file."""
    while not state.exists() or _episodes_in(state) < episode:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.03))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
    return _episodes_in(state)


def test_a_run_killed_twice_ends_with_the_bits_of_an_undisturbed_run(tmp_path: Path) -> None:
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    with _start(calm) as undisturbed:
        _kill(_start(killed), killed / "training.state", random.randint(1, 55))
        last = _kill(_start(killed), killed / "training.state", random.randint(65, 110))
        assert last < EPISODES
        with _start(killed) as resumed:
            _, said = resumed.communicate()
        _, said_calmly = undisturbed.communicate()
    assert resumed.returncode == 0, said
    assert undisturbed.returncode == 0, said_calmly
    assert f"resumed after episode {last}" in said
    assert "resumed" not in said_calmly
    for name in RESULTS:
        assert (killed / name).read_bytes() == (calm / name).read_bytes(), name
    rows = json.loads((calm / "log.json").read_text())
    assert [row["episode"] for row in rows] == list(range(10, EPISODES + 1, 10))
