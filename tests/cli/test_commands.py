"""Commands as processes."""

import json
import os
import subprocess
import sys
from pathlib import Path


def l2l(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "l2l", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_bad_input_of_a_process_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = l2l(tmp_path, "train", "mnist_papper")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "did you mean 'mnist_paper'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_command_starts_without_the_libraries_that_only_some_need() -> None:
    """Each takes a good part of a second, and a run has dozens of commands."""
    code = "import sys, l2l.cli, l2l.meta.schedule; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "numpy", "scipy", "matplotlib"} & set(done.stdout.split())


def test_the_stages_run_one_after_the_other_without_snakemake(tmp_path: Path) -> None:
    small = (
        "--protocol=smoke",
        "--set=meta_seeds=1",
        "--set=experiments.quadratics.baselines=[nag]",
        "--set=recipes.quadratics_lstm={episodes: 6, meta_learning_rate: {trials: 1, episodes: 2}}",
    )
    for arguments in (
        ("trial", "quadratics_lstm", "0"),
        ("choose-rate", "quadratics_lstm"),
        ("train", "quadratics_lstm", "--seed", "0"),
        ("tune", "quadratics", "nag"),
        ("evaluate", "quadratics", "nag"),
        ("evaluate", "quadratics", "quadratics_lstm", "--seed", "0"),
        ("collect", "quadratics"),
        ("figure", "quadratics"),
    ):
        done = l2l(tmp_path, *arguments, *small)
        assert done.returncode == 0, done.stderr
    run = tmp_path / "results" / "smoke" / "training" / "quadratics_lstm" / "seed0"
    assert json.loads((run / "summary.json").read_text())["episodes"] == 6
    assert not list(run.glob("*.state")), "the state is of no more use after the end"
    for suffix in ("png", "pdf"):
        assert (tmp_path / "figures" / "smoke" / f"quadratics.{suffix}").stat().st_size > 1000
