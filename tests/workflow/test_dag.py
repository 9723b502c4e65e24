"""The DAG before anything has run: all protocols, single figures, bad configurations."""

import os
import re
import signal
from pathlib import Path

import pytest
from tests.workflow.harness import SMOKE, Workflow, wait_for
from tests.workflow.test_smoke_run import FIGURES

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("protocol", ["smoke", "default", "paper"])
def test_every_protocol_has_a_complete_dag(workflow: Workflow, protocol: str) -> None:
    planned = workflow.planned("--config", f"protocol={protocol}")
    assert planned >= FIGURES | {"data", "claims", "mnist_report", "page"}
    long = {"trial", "choose_rate", "train", "tune", "evaluate_learned", "collect"}
    assert planned & long == (set() if protocol == "smoke" else long)


def test_short_work_of_a_study_is_one_job_unless_it_is_wanted_in_pieces(
    workflow: Workflow,
) -> None:
    figure = ("--", "mnist")
    assert workflow.planned(*SMOKE, *figure) == {"data", "train_mnist", "test_mnist", "mnist"}
    pieces = workflow.planned(*SMOKE, "compute={shortest_job: 0}", *figure)
    assert pieces == {
        *("data", "trial", "choose_rate", "train", "tune"),
        *("evaluate_baseline", "evaluate_learned", "collect", "mnist"),
    }
    on_a_cluster = workflow.planned("--profile", "workflow/profiles/slurm", *SMOKE, *figure)
    assert on_a_cluster == {"data", "choose_rate", "train", "collect"}  # the others are in groups


def test_released_optimizers_that_are_not_there_are_told_before_any_job(
    workflow: Workflow,
) -> None:
    done = workflow.run(*SMOKE, "optimizers=released")
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("l2l: ")]
    assert len(errors) == 1
    assert "was released with other settings" in errors[0]
    assert not (workflow.folder / "results").exists()


def test_a_single_figure_plans_only_what_it_needs(workflow: Workflow) -> None:
    planned = workflow.planned(*SMOKE, "--", "quadratics")
    assert planned == {"train_quadratics", "test_quadratics", "quadratics"}
    assert not planned & {"mnist", "data", "claims", "page"}
    assert workflow.planned(*SMOKE, "--", "optimizer_loop") == {"optimizer_loop"}


def test_a_report_plans_only_what_it_shows(workflow: Workflow) -> None:
    planned = workflow.planned(*SMOKE, "--", "quadratics_report")
    assert planned >= {"train_quadratics", "quadratics", "computation_graph", "quadratics_report"}
    assert not planned & {"mnist", "data", "claims", "runs", "page"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("protocol=tiny", ("protocol = 'tiny'", "smoke, default, paper")),
        ("evaluation={problms: 3}", ("problms", "did you mean 'problems'")),
        ("evaluation={problems: many}", ("evaluation.problems = 'many'", "integer")),
        ("evaluation={problems: 0}", ("evaluation.problems = '0'", "greater than or equal to 1")),
    ],
)
def test_a_bad_configuration_is_one_line_and_exit_code_2(
    workflow: Workflow, override: str, said: tuple[str, ...]
) -> None:
    done = workflow.run("--config", override)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("l2l: ")]
    assert len(errors) == 1
    assert all(part in errors[0] for part in said), errors
    assert "Traceback" not in done.stderr
    assert not (workflow.folder / "results").exists(), "before any job starts"


def test_cuda_that_is_missing_is_said_before_any_job_that_needs_it(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cuda = (*SMOKE, "compute={devices: {train: cuda}}", "--")
    done = workflow.run(*cuda, "quadratics")
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("l2l: ")]
    assert errors == [
        "l2l: compute.devices.train = cuda, but PyTorch sees no GPU; set it to auto or cpu"
    ]
    assert not (workflow.folder / "results").exists()
    assert workflow.run(*cuda, "optimizer_loop").returncode == 0, "it trains nothing"


def test_a_claim_that_a_run_cannot_judge_is_seen_before_any_job(workflow: Workflow) -> None:
    done = workflow.run(*SMOKE, "experiments={quadratics: {learned: [mnist_paper]}}")
    assert done.returncode == 2
    assert "claims.C1.comparisons.0.learned = 'quadratics_lstm'" in done.stderr


def test_a_job_that_fails_is_told_by_its_own_line(workflow: Workflow, tmp_path: Path) -> None:
    no_folder = tmp_path / "no_folder"
    no_folder.write_text("")
    done = Workflow(workflow.folder, no_folder).run(*SMOKE, "--", "results/smoke/data/mnist.json")
    said = done.stdout + done.stderr
    assert done.returncode == 1
    _, _, _, error, job, end = said.splitlines()
    assert error.startswith("l2l: cannot write into")
    assert "no_folder" in error
    assert re.search("data set mnist failed after .*; log: results/smoke/logs/data/mnist.log$", job)
    assert end == "0 of 1 job done, 1 failed. The same command goes on from here."


def test_a_second_run_in_the_same_folder_is_refused(workflow: Workflow) -> None:
    first = workflow.start(*SMOKE, "--", "quadratics")
    try:
        wait_for(workflow.folder / "results/smoke/config.yaml")
        second = workflow.run(*SMOKE, "--", "optimizer_loop")
        assert second.returncode == 2
        assert "another run is at work" in second.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


@pytest.mark.parametrize(("cores", "threads"), [("1", 1), ("2", 2)])
def test_a_job_computes_with_the_threads_that_snakemake_gives_it(
    workflow: Workflow, cores: str, threads: int
) -> None:
    """Asked for 3; what the scheduler has left is what torch and the kernels get."""
    done = workflow.run(
        *(*SMOKE, "compute={threads: 3, shortest_job: 0}", "--cores", cores),
        *("--dry-run", "--printshellcmds", "--", "quadratics"),
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    commands = [
        line
        for line in text.splitlines()
        if re.search(r"^    l2l (trial|train|tune|evaluate) ", line)
    ]
    assert len(commands) > 8
    assert all(f"--set compute.threads={threads} " in line for line in commands)
