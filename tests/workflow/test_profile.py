"""profiles/slurm: it names rules that exist, and what becomes one job. On SLURM: tests/slurm."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml
from tests.workflow.harness import ROOT, SMOKE, Workflow
from tests.workflow.test_smoke_run import FIGURES

from l2l.registry import MEASUREMENTS

PROFILE = "workflow/profiles/slurm"
ALONE = {"train", *(f"measure_{name}" for name in MEASUREMENTS)}
LOCAL = {"data", "choose_rate", "collect", "runs", "take"}


@cache
def profile() -> dict[str, Any]:
    return yaml.safe_load((ROOT / PROFILE / "config.yaml").read_text())


def rules() -> set[str]:
    """Every rule that a cluster sees, but for figures and reports, which name their group."""
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    named = re.findall(r"^(?:rule|use rule \w+ as) (\w+)", text, re.MULTILINE)
    return {*named, *(f"measure_{name}" for name in MEASUREMENTS)}


def test_every_rule_that_runs_on_the_cluster_has_its_place_there() -> None:
    grouped = set(profile()["groups"])
    assert grouped | ALONE | LOCAL == rules()
    assert not grouped & (ALONE | LOCAL)


def test_the_profile_names_rules_and_groups_that_exist() -> None:
    assert set(profile()["set-resources"]) <= rules()
    assert set(profile()["group-components"]) == set(profile()["groups"].values())


@pytest.mark.workflow
def test_every_figure_and_report_goes_with_the_page_on_a_cluster(workflow: Workflow) -> None:
    """Also a figure that the profile has never heard of."""
    wanted = (*SMOKE, "experiments={mine: {like: quadratics, figure: mine}}", "--", "mine", "page")
    drawn = {*FIGURES, "mine", "mnist_report", "page", "claims"}
    assert workflow.planned(*wanted) >= drawn
    assert not workflow.planned("--profile", PROFILE, *wanted) & drawn, "not a job of its own"


@pytest.mark.workflow
def test_a_job_that_may_use_a_gpu_asks_for_one_where_the_configuration_does(
    workflow: Workflow,
) -> None:
    """`auto` asks for none, so that clusters without GPUs run it; nor do jobs that draw."""
    pieces = "shortest_job: 0"  # as on a cluster
    for compute, asking in (
        (f"{{{pieces}}}", set()),
        (f"{{{pieces}, devices: {{train: cuda}}}}", {"train", "trial"}),
    ):
        done = workflow.run(
            "--dry-run", "--verbose", *SMOKE, f"compute={compute}", "--", "quadratics"
        )
        assert done.returncode == 0, done.stderr
        text = done.stdout + done.stderr
        jobs = re.findall(r"rule (\w+):\n(?:    .*\n)*?    resources: (.*)", text)
        assert {name for name, _ in jobs} >= {"train", "trial", "tune", "quadratics"}
        assert {name for name, resources in jobs if "gpu=1" in resources} == asking
