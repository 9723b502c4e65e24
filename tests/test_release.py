"""The released optimizers and tuned rates, and a run that takes them."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from l2l.cli import main
from l2l.config import Config, load_config, resolved_yaml
from l2l.errors import UserError
from l2l.files import write_text
from l2l.release import CONTENTS, check_release, parts, take_release, write_release


@pytest.fixture
def trained() -> Config:
    return load_config("smoke")


@pytest.fixture
def released() -> Config:
    return load_config("smoke", settings=["optimizers=released"])


@pytest.fixture
def kept(trained: Config, tmp_path: Path) -> Iterator[Path]:
    """A record of a run whose files say their own names; the working directory is empty."""
    with contextlib.chdir(tmp_path):
        for part in parts(trained):
            for file in part.files:
                write_text(tmp_path / "run" / file, file.name)
        write_text(tmp_path / "run/results/smoke/config.yaml", resolved_yaml(trained))
        write_release(trained, tmp_path / "kept", tmp_path / "run")
        yield tmp_path / "kept"


def test_what_is_taken_is_what_was_kept_in_a_folder_of_its_own(kept: Path, released: Config):
    take_release(released, kept)
    files = [file for part in parts(released) for file in part.files]
    assert len(files) > 100
    for file in files:
        assert file.parts[:2] == ("results", "smoke_released")
        assert file.read_text() == file.name


def test_released_changes_nothing_that_was_trained_or_tuned_with() -> None:
    trained, released = load_config(), load_config(settings=["optimizers=released"])
    assert released.evaluation.problems < trained.evaluation.problems
    for mine, theirs in zip(parts(released), parts(trained), strict=True):
        assert (mine.key, mine.inputs) == (theirs.key, theirs.inputs)
        assert mine.horizon <= theirs.horizon
        assert len(mine.files) <= len(theirs.files)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("recipes.mnist_paper.steps=50", "recipes.mnist_paper was released with other settings"),
        ("seed=1", "was released with other settings"),
        ("meta_seeds=3", "is not among the released ones"),
        ("tuning.problems=9", "was released with other settings"),
        ("experiments.mnist.baselines=[sgd]", "experiments.mnist with sgd is not among"),
        ("experiments.cifar10={steps: 2000, horizon: 2000}", "was tuned for step 10, not 2000"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_written(kept: Path, setting: str, named: str):
    config = load_config("smoke", settings=["optimizers=released", setting])
    with pytest.raises(UserError, match=named):
        take_release(config, kept)
    assert not Path("results").exists()


@pytest.mark.parametrize("damage", ["missing", "truncated", "swapped"])
def test_a_damaged_file_is_named(kept: Path, released: Config, damage: str):
    path = kept / "training" / "mnist_paper" / "seed1" / "optimizer.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_text(path.read_text()[:-1])
    else:
        path.write_bytes((path.parent / "log.csv").read_bytes())
    with pytest.raises(UserError, match=str(path)):
        take_release(released, kept)
    assert not Path("results/smoke_released/training/mnist_paper/seed1").exists()


@pytest.mark.parametrize("content", ["{", None])
def test_a_table_of_contents_that_is_none_is_named(
    kept: Path, released: Config, content: str | None
):
    (kept / CONTENTS).unlink() if content is None else (kept / CONTENTS).write_text(content)
    with pytest.raises(UserError, match=rf"{kept / CONTENTS} is missing or damaged.*make publish"):
        check_release(released, kept)


def test_a_run_is_not_kept_under_settings_that_it_was_not_made_with(
    kept: Path, trained: Config, tmp_path: Path
):
    other = load_config("smoke", settings=["seed=7", "tuning.problems=64"])
    before = (kept / CONTENTS).read_bytes()
    with pytest.raises(UserError, match=r"--config-file .*config\.yaml"):
        write_release(other, kept, tmp_path / "run")
    assert (kept / CONTENTS).read_bytes() == before


def test_keeping_replaces_what_an_earlier_run_kept_unless_the_run_is_not_finished(
    kept: Path, trained: Config, tmp_path: Path
):
    (kept / "training" / "of_old").mkdir()
    lost = tmp_path / "run" / next(parts(trained)).files[0]
    content = lost.read_bytes()
    lost.unlink()
    with pytest.raises(UserError, match=lost.name):
        write_release(trained, kept, tmp_path / "run")
    assert (kept / "training" / "of_old").exists()
    lost.write_bytes(content)
    write_release(trained, kept, tmp_path / "run")
    assert not (kept / "training" / "of_old").exists()
    assert len(json.loads((kept / CONTENTS).read_text())) == len(list(parts(trained)))


def test_taking_without_saying_so_is_refused(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.argv", ["l2l", "take", "--protocol", "smoke"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "optimizers=released" in capsys.readouterr().err


def test_a_mixed_run_takes_what_its_recipes_and_experiments_say(kept: Path):
    mixed = load_config("smoke", settings=["optimizers=mixed"])
    take_release(mixed, kept)
    results = Path("results/smoke")
    there = {path.name for path in (results / "training").iterdir()}
    assert {"cifar", "cifar2_sub", "neural_art", "quadratics_window_1"} <= there
    assert not there & {"quadratics_lstm", "mnist_paper", "mnist_long_unroll"}
    assert {path.name for path in (results / "tuning").iterdir()} == {
        *("cifar10", "cifar5", "cifar2", "neural_art", "neural_art_new")
    }


def test_advice_names_the_setting_that_makes_it_anew(kept: Path):
    changed = load_config("smoke", settings=["optimizers=mixed", "recipes.cifar.episodes=3"])
    with pytest.raises(UserError, match=r"recipes\.cifar was .* \(recipes\.cifar\.origin = tr"):
        check_release(changed, kept)
    made = load_config(
        "smoke",
        settings=["optimizers=mixed", "recipes.cifar.episodes=3", "recipes.cifar.origin=trained"],
    )
    assert check_release(made, kept)
