"""What is there after a smoke run, and what a change makes the workflow do again."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from tests.chaos.compare import compare
from tests.chaos.fire import run_under_fire
from tests.report.test_page import external_loads
from tests.workflow.harness import ROOT, SMOKE, Workflow

import l2l

pytestmark = pytest.mark.workflow
DAY = 86400
FIGURES = {
    "verdicts",
    "quadratics",
    "mnist",
    "figure4",
    "mnist_transfer",
    "architecture",
    "cifar",
    "general",
    "suite",
    "suite_curves",
    "style_curves",
    "style_images",
    "ablations",
    "unroll",
    "hierarchical",
    "hierarchical_diagram",
    "landscape",
    "step_size",
    "overhead",
    "updates",
    "meta_training",
    "optimizer_loop",
    "computation_graph",
    "coordinatewise_lstm",
}
REPORTS = (
    *("quadratics", "mnist", "mnist_transfer", "architecture", "cifar", "style_curves"),
    *("ablations", "unroll", "hierarchical", "overhead", "updates"),
)
PAGES = {*(f"{name}_report" for name in REPORTS), "page", "all"}


def test_the_smoke_run_ends_with_the_page_and_every_figure(smoke: Workflow) -> None:
    page = (smoke.folder / "results/smoke/index.html").read_text()
    for figure in FIGURES:
        for suffix in ("png", "pdf"):
            assert (smoke.folder / f"figures/smoke/{figure}.{suffix}").stat().st_size > 1000
        assert (smoke.folder / f"figures/smoke/{figure}.json").exists()
        assert figure in page
    for report in REPORTS:
        shown = (smoke.folder / f"results/smoke/reports/{report}.html").read_text()
        assert "data:image/png" in shown
        assert external_loads(shown) == []
        assert (smoke.folder / f"results/smoke/reports/{report}.ipynb").exists()


def test_a_smoke_run_gives_no_verdicts(smoke: Workflow) -> None:
    claims = pd.read_csv(smoke.folder / "results/smoke/claims.csv")
    assert set(claims["claim"]) == {f"C{number}" for number in range(1, 21)}
    assert not claims["verdict"].isin(["replicated", "not replicated", "inconclusive"]).any()


def test_the_curves_have_one_row_for_each_optimizer_problem_seed_and_step(smoke: Workflow) -> None:
    curves = pd.read_parquet(smoke.folder / "results/smoke/evaluation/mnist/curves.parquet")
    runs = curves.groupby(["optimizer", "meta_seed", "rate_for"]).size()
    kinds = runs.groupby(["optimizer", "meta_seed"]).size()
    assert len(kinds) == 2 + 2 + 1  # two baselines, recipes of two meta-seeds and one
    assert (runs == 2 * 201).all()  # problems, steps 0..200
    assert kinds[kinds > 1].index.get_level_values("meta_seed").isin([-1]).all()  # tuned twice
    start = curves[curves["step"] == 0].groupby("problem")["loss"]
    assert (start.nunique() == 1).all(), "every optimizer starts from the same problems"


def test_nothing_is_left_to_do_after_a_run(smoke: Workflow) -> None:
    assert smoke.planned(*SMOKE) == set()


def test_a_comment_in_the_source_reruns_nothing(smoke: Workflow) -> None:
    source = Path(l2l.__file__).parent / "meta" / "train.py"
    os.utime(source)
    assert smoke.planned(*SMOKE) == set()


def test_a_changed_figure_style_redraws_figures_only(smoke: Workflow) -> None:
    assert smoke.planned(*SMOKE, "figures={dpi: 120}") == FIGURES | PAGES


def test_an_edited_study_makes_its_own_report_anew_and_no_other(smoke: Workflow) -> None:
    planned = smoke.planned(*SMOKE, "studies={cifar: {about: Other words.}}")
    assert planned == {"cifar_report", "page", "all"}


def test_a_changed_training_value_reruns_that_training_and_what_depends_on_it(
    smoke: Workflow,
) -> None:
    planned = smoke.planned(*SMOKE, "recipes={mnist_paper: {averaging: 0.5}}")
    assert planned >= {"train_mnist", "test_mnist", "mnist", "claims"}
    assert not planned & {"train_quadratics", "quadratics", "data", "optimizer_loop"}


def test_a_changed_number_of_test_problems_keeps_what_was_trained_and_tuned(
    smoke: Workflow,
) -> None:
    planned = smoke.planned(*SMOKE, "experiments={mnist: {evaluation: {problems: 9}}}")
    assert planned >= {"test_mnist", "mnist", "claims"}
    assert not {name for name in planned if name.startswith("train")} | planned & {"quadratics"}


def test_a_figure_alone_is_redrawn_from_its_tables(smoke: Workflow) -> None:
    figure = smoke.folder / "figures/smoke/quadratics.png"
    before = figure.read_bytes()
    figure.unlink()
    assert smoke.planned(*SMOKE) >= {"quadratics", "page", "all"}
    assert smoke.planned(*SMOKE, "--", "quadratics") == {"quadratics"}
    done = smoke.run(*SMOKE, "--", "quadratics")
    assert done.returncode == 0, done.stderr
    assert figure.read_bytes() == before


def test_the_snakemake_report_has_the_figures(smoke: Workflow, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    done = smoke.run(*SMOKE, "--report", str(report))
    assert done.returncode == 0, done.stderr[-3000:]
    text = report.read_text()
    assert all(f"{figure}.png" in text for figure in FIGURES)


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(
    workflow: Workflow, smoke: Workflow
) -> None:
    """`make chaos` in short: three kills of the whole process tree, in every stage of a figure.

    Its jobs are small ones, those of the other run large: that makes no difference either.
    """
    wanted, jobs = (*SMOKE, "compute={shortest_job: 0}", "--", "quadratics"), 15
    seed = random.randrange(1000)
    print(f"seed {seed}")
    kills = run_under_fire(workflow, wanted, 3, seed, jobs, workflow.folder / "starts")
    assert len(kills) >= 2
    assert any(kill.running for kill in kills), "no job was hit"
    found = compare(smoke.folder, workflow.folder, "smoke", whole=False)
    different = [name for name in found.different if not name.startswith("results/config.yaml")]
    assert different == []
    assert {
        "results/training/quadratics_lstm/seed0/optimizer.safetensors",
        "results/evaluation/quadratics/curves.parquet",
        "figures/quadratics.png",
    } <= set(found.equal)


def test_released_optimizers_are_tested_without_training_and_give_the_same_bits(
    smoke: Workflow, tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "copy", smoke.data)
    shutil.copytree(smoke.folder, copy.folder)
    record = ("record", "docs/replication", "--protocol", "smoke")
    subprocess.run([sys.executable, "-m", "l2l", *record], cwd=copy.folder, check=True)
    released = (*SMOKE, "optimizers=released")
    planned = copy.planned(*released)
    assert planned > {"take", "test_cifar", "unroll", "unroll_report", "page"}
    assert not {name for name in planned if name.startswith("train")}
    problems = "evaluation={problems: 2}"  # as smoke has
    figures = ("mnist", "meta_training")
    done = copy.run(*released, problems, "--", *figures)
    assert done.returncode == 0, done.stderr[-3000:]
    for path in ("evaluation/mnist/curves.parquet", "tuning/mnist.csv"):
        mine, theirs = (
            copy.folder / f"results/{run}" / path for run in ("smoke_released", "smoke")
        )
        assert mine.read_bytes() == theirs.read_bytes(), path
    for name in figures:
        mine, theirs = (
            copy.folder / f"figures/{run}/{name}.png" for run in ("smoke_released", "smoke")
        )
        assert mine.read_bytes() == theirs.read_bytes(), name
    other = copy.run(*released, "recipes={mnist_paper: {episodes: 5}}", "--dry-run")
    assert other.returncode == 2
    assert "recipes.mnist_paper was released with other settings" in other.stderr


def test_a_run_after_the_clock_went_back_a_day_ends_with_the_same_bits(
    smoke: Workflow, tmp_path: Path
) -> None:
    """Everything that is there seems to come from tomorrow."""
    copy = Workflow(tmp_path / "copy", smoke.data)
    shutil.copytree(smoke.folder, copy.folder)
    for folder in ("results", "figures", "workflow", "config"):
        for path in (copy.folder / folder).rglob("*"):
            then = path.stat().st_mtime + DAY
            os.utime(path, (then, then))
    assert copy.planned(*SMOKE) == set()
    figure = copy.folder / "figures/smoke/quadratics.png"
    before = figure.read_bytes()
    figure.unlink()
    done = copy.run(*SMOKE, "--", "quadratics")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "come from the future" in done.stderr
    assert figure.read_bytes() == before
    assert figure.stat().st_mtime <= time.time()
    assert copy.planned(*SMOKE, "--", "quadratics") == set()


def test_the_transfer_that_the_readme_adds_is_a_panel_of_the_figure(
    smoke: Workflow, tmp_path: Path
) -> None:
    """80 hidden units by nothing but the lines of configuration in docs/running.md."""
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?80.*?)```", text, re.DOTALL)
    assert example
    copy = Workflow(tmp_path / "copy", smoke.data)
    shutil.copytree(smoke.folder, copy.folder)
    (copy.folder / "mine.yaml").write_text(example[1])
    done = copy.run(*SMOKE, "--configfile", "mine.yaml", "--", "mnist_transfer")
    assert done.returncode == 0, done.stderr[-3000:]
    curves = copy.folder / "results/smoke/evaluation/mnist_80_units/curves.parquet"
    assert set(pd.read_parquet(curves)["coordinates"]) == {784 * 80 + 80 + 80 * 10 + 10}
    figure = "figures/smoke/mnist_transfer.png"
    assert (copy.folder / figure).read_bytes() != (smoke.folder / figure).read_bytes()
    untouched = "results/smoke/training/mnist_paper/seed0/optimizer.safetensors"
    assert (copy.folder / untouched).stat().st_mtime == (smoke.folder / untouched).stat().st_mtime
