"""The workflow on a real SLURM: make test-slurm (root; not part of make test)."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.slurm.cluster import one_node, say
from tests.workflow.harness import SMOKE, copy_workflow, wait_for

pytestmark = pytest.mark.slurm
SLURM = (
    *("--cores", "1"),  # of a job, as the profile says
    *("--profile", "workflow/profiles/slurm"),
    *("--slurm-status-command", "squeue"),  # this cluster keeps no accounts
    *("--slurm-init-seconds-before-status-checks", "5"),
)
SUBMITTED = re.compile(r"has been submitted with SLURM jobid (\d+)")


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    with one_node():
        yield


def test_a_cancelled_meta_training_is_resubmitted_and_ends_with_the_same_bits(
    tmp_path: Path, data_directory: Path
) -> None:
    target = "results/smoke/training/quadratics_base/seed0/optimizer.safetensors"
    arguments = (*SMOKE, "recipes={quadratics_base: {episodes: 120}}", "--", target)
    alone = copy_workflow(tmp_path / "alone", data_directory)
    assert alone.run(*arguments).returncode == 0

    cluster = copy_workflow(tmp_path / "cluster", data_directory)
    process = cluster.start(*SLURM, *arguments)
    try:
        wait_for(cluster.folder / Path(target).with_name("training.state"), seconds=600)
        first = say("squeue", "--noheader", "--states=RUNNING", "--format=%i")
        assert first.isdigit(), "one job is running"
        subprocess.run(["scancel", first], check=True)
        assert process.wait(timeout=1200) == 0
    finally:
        process.kill()
    second = say("squeue", "--noheader", "--states=COMPLETED", "--format=%i")
    assert second.isdigit()
    assert second != first

    log = (cluster.folder / "results/smoke/logs/train/quadratics_base.0.log").read_text()
    assert re.search(r"resumed after episode [1-9]", log), log
    assert (cluster.folder / target).read_bytes() == (alone.folder / target).read_bytes()


def test_the_smoke_protocol_runs_through_slurm(tmp_path: Path, data_directory: Path) -> None:
    workflow = copy_workflow(tmp_path / "smoke", data_directory)
    start = time.monotonic()
    done = workflow.run(*SLURM, *SMOKE, timeout=3 * 3600)
    minutes = (time.monotonic() - start) / 60
    assert done.returncode == 0, done.stderr[-5000:]
    (log,) = (workflow.folder / ".snakemake/log").glob("*.log")
    submitted = len(SUBMITTED.findall(log.read_text()))
    print(f"smoke through SLURM: {minutes:.0f} minutes, {submitted} jobs submitted")
    assert (workflow.folder / "results/smoke/index.html").exists()
    assert "Trying to restart" not in log.read_text()
    assert 0 < submitted <= 100, "short jobs are submitted together"
    assert workflow.planned(*SMOKE) == set()
