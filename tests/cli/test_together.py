"""Several trainings, or all of an experiment, in one process: killed, and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.problems import art

from l2l.cli import commands
from l2l.config import load_config
from l2l.meta import train as meta_train
from l2l.run import Run

RECIPE, EXPERIMENT = "quadratics_lstm", "quadratics"
SMALL = (
    f"recipes.{RECIPE}={{meta_seeds: 2, episodes: 4, validation: {{every: 2}}, "
    "meta_learning_rate: {trials: 2, episodes: 2}}",
    f"experiments.{EXPERIMENT}.baselines=[adam, nag]",
)


class Killed(BaseException):
    """The process ends here."""


def results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run in a folder of its own."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Run(load_config("smoke", settings=SMALL))


def contents(run: Run) -> dict[str, bytes]:
    """All that a run has made, but for times."""
    files = (path for path in run.layout.results.rglob("*") if path.is_file())
    return {
        str(path): path.read_bytes()
        for path in files
        if path.name not in ("log.csv", "summary.json") and "search" not in path.parts
    }


def test_the_pieces_and_the_whole_have_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = results(tmp_path / "whole", monkeypatch)
    commands.train(whole, [RECIPE])
    commands.test(whole, [EXPERIMENT])
    expected = {path: data for path, data in contents(whole).items() if "rate" not in path}
    pieces = results(tmp_path / "pieces", monkeypatch)
    for number in range(2):
        commands.trial(pieces, RECIPE, number)
    commands.choose_rate(pieces, RECIPE)
    for seed in range(2):
        commands.train(pieces, [RECIPE], seed)
    for baseline in ("adam", "nag"):
        commands.tune(pieces, EXPERIMENT, baseline)
        commands.evaluate(pieces, EXPERIMENT, baseline)
    for seed in range(2):
        commands.evaluate(pieces, EXPERIMENT, RECIPE, seed)
    commands.collect(pieces, EXPERIMENT)
    assert {path: data for path, data in contents(pieces).items() if "rate" not in path} == expected
    assert len(expected) == 2 + 2 + 4 + 2  # optimizers, tunings, parts, tables


def test_a_killed_job_loses_no_training_that_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = results(tmp_path / "run", monkeypatch)
    episodes = 0

    def counted(*arguments: object) -> None:
        nonlocal episodes
        episodes += 1
        if episodes == 2 + 2 + 4 + 1:  # two trials and a meta-seed are done
            raise Killed
        original(*arguments)  # type: ignore[arg-type]

    original = meta_train.train_episode
    monkeypatch.setattr(meta_train, "train_episode", counted)
    with pytest.raises(Killed):
        commands.train(run, [RECIPE])
    for path in run.layout.results.rglob("*"):  # as Snakemake does before it starts a job again
        if path.name in ("optimizer.safetensors", "log.csv", "summary.json"):
            path.unlink()
    commands.train(run, [RECIPE])
    assert episodes == 2 + 2 + 4 + 1 + 4
    assert all((run.layout.run(RECIPE, seed) / "log.csv").exists() for seed in range(2))
    assert not list(run.layout.results.rglob("*.state"))


def test_a_killed_job_repeats_no_test_that_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = results(tmp_path / "run", monkeypatch)
    commands.train(run, [RECIPE])
    tested: list[str] = []

    def counted(*arguments: object) -> None:
        tested.append(f"{arguments[4]} {arguments[5]}")
        if len(tested) == 3:
            raise Killed
        original(*arguments)  # type: ignore[arg-type]

    original = commands._evaluate
    monkeypatch.setattr(commands, "_evaluate", counted)
    with pytest.raises(Killed):
        commands.test(run, [EXPERIMENT])
    tuned = run.layout.tuning(EXPERIMENT, "adam")
    before = tuned.stat().st_mtime_ns
    commands.test(run, [EXPERIMENT])
    assert tested[3:] == [f"{RECIPE} 0", f"{RECIPE} 1"]
    assert tuned.stat().st_mtime_ns == before
    commands.test(run, [EXPERIMENT])  # a run that is finished, and is wanted again, is made anew
    assert len(tested) == 5 + 4


def test_what_was_tested_with_other_settings_is_tested_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = results(tmp_path / "run", monkeypatch)
    commands.train(run, [RECIPE])
    original = commands._evaluate
    monkeypatch.setattr(commands, "_evaluate", lambda *arguments: _kill())
    with pytest.raises(Killed):
        commands.test(run, [EXPERIMENT])
    monkeypatch.setattr(commands, "_evaluate", original)
    tuned = run.layout.tuning(EXPERIMENT, "adam")
    before = tuned.stat().st_mtime_ns
    more = f"experiments.{EXPERIMENT}.evaluation.problems=3"
    other = Run(load_config("smoke", settings=[*SMALL, more]))
    commands.test(other, [EXPERIMENT])
    assert tuned.stat().st_mtime_ns > before


def test_a_killed_job_whose_pictures_were_deleted_makes_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake deletes a killed job's declared outputs, but not the tests beside them."""
    values = "like: neural_art, learned: [neural_art_scratch], baselines: [sgd, nag]"
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    run = Run(load_config("smoke", settings=[f"experiments.art={{{values}}}"]))
    opened = {"neural_art": art.family()}, art.CPU
    monkeypatch.setattr(Run, "open_problems", lambda self, problems, stage: opened)
    commands.train(run, ["neural_art_scratch"])
    original = commands.collect
    monkeypatch.setattr(commands, "collect", lambda *arguments: _kill())
    with pytest.raises(Killed):
        commands.test(run, ["art"])
    monkeypatch.setattr(commands, "collect", original)
    part = run.layout.part("art", "sgd", None)
    pictures, other = (run.layout.pictures("art", name, None) for name in ("sgd", "nag"))
    expected, before = pictures.read_bytes(), (part.read_bytes(), other.stat().st_mtime_ns)
    pictures.unlink()
    commands.test(run, ["art"])
    assert pictures.read_bytes() == expected
    assert (part.read_bytes(), other.stat().st_mtime_ns) == before


def _kill() -> None:
    raise Killed
