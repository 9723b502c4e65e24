"""The command line: help everywhere, one line for bad input, nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "config data trial choose-rate train runs tune evaluate collect claims figure report page "
    "bench paint measure"
)


def l2l(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "l2l", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = l2l(tmp_path, command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_a_command_starts_without_the_libraries_that_only_some_need() -> None:
    """Each takes a good part of a second, and a run has dozens of commands."""
    code = "import sys, l2l.cli, l2l.meta.schedule; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "numpy", "scipy", "matplotlib"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "mnist_papper"), ("mnist_papper", "mnist_paper")),
        (("train", "mnist_paper", "--seed", "9"), ("seed 9", "0..2")),
        (("bench", "mnist_papper"), ("mnist_papper", "mnist_paper")),
        (("bench", "--threads", "0"), ("--threads 0", "1..")),
        (("bench", "--json", "nowhere/bench.json"), ("no folder", "nowhere")),
        (("train", "mnist_paper"), ("meta_learning_rate.json", "missing")),
        (("trial", "mnist_paper", "99"), ("trial 99", "0..")),
        (("evaluate", "mnist", "nag"), ("nag.csv", "l2l tune mnist nag")),
        (("evaluate", "mnist", "mnist_paper"), ("optimizer.safetensors", "train")),
        (("evaluate", "mnist", "quadratics_lstm"), ("quadratics_lstm", "mnist_paper")),
        (("tune", "cifar", "nag"), ("cifar", "quadratics, mnist")),
        (("figure", "mnist"), ("curves.parquet", "missing")),
        (("figure", "overhead"), ("overhead.csv", "l2l measure overhead")),
        (("measure", "updates"), ("optimizer.safetensors", "train")),
        (("figure", "nonsense"), ("nonsense", "optimizer_loop")),
        (("report", "nonsense"), ("nonsense", "quadratics")),
        (("config", "--protocol", "tiny"), ("tiny", "smoke, default, paper")),
        (("config", "--set", "evaluation.problems=0"), ("evaluation.problems = 0", "1")),
        (("config", "--config-file", "absent.yaml"), ("absent.yaml", "No such file")),
        (
            ("config", "--set", "experiments.mnist.learned=[mnist_paper]"),
            ("claims.C2", "there are"),
        ),
    ],
)
def test_bad_input_gives_one_line_and_exit_code_2(
    arguments: tuple[str, ...], said: tuple[str, ...], tmp_path: Path, mnist_directory: Path
) -> None:
    done = l2l(tmp_path, *arguments, L2L_DATA_DIR=str(mnist_directory))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(part in done.stderr for part in said), done.stderr


@pytest.mark.parametrize(
    ("stage", "arguments"),
    [
        ("train", ("trial", "quadratics_lstm", "0")),
        ("train", ("bench",)),
        ("tune", ("tune", "quadratics", "nag")),
        ("evaluate", ("evaluate", "quadratics", "nag")),
        ("measure", ("measure", "meta-gradients")),
    ],
)
def test_cuda_that_is_missing_is_said_by_the_commands_of_the_stage(
    stage: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    setting = ("--set", f"compute.devices.{stage}=cuda")
    done = l2l(tmp_path, *arguments, *setting, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    said = f"l2l: compute.devices.{stage} = cuda, but PyTorch sees no GPU; set it to auto or cpu"
    assert done.stderr.strip() == said


def test_the_stages_run_one_after_the_other_without_snakemake(tmp_path: Path) -> None:
    small = (
        "--protocol=smoke",
        "--set=meta_seeds=1",
        "--set=recipes.quadratics_lstm={episodes: 6, meta_learning_rate: {trials: 1, episodes: 2}}",
    )
    for arguments in (
        ("trial", "quadratics_lstm", "0"),
        ("choose-rate", "quadratics_lstm"),
        ("train", "quadratics_lstm", "--seed", "0"),
        *(("tune", "quadratics", name) for name in ("sgd", "rmsprop", "adam", "nag")),
        *(("evaluate", "quadratics", name) for name in ("sgd", "rmsprop", "adam", "nag")),
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
