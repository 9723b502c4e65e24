"""What a run reads of its earlier stages, and the advice where that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from l2l.config import load_config
from l2l.errors import UserError
from l2l.files import write_json, write_text
from l2l.run import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A smoke run that has not begun, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Run(load_config("smoke"))


@pytest.mark.parametrize(("recorded", "used"), [(None, "crops"), ("crops", None), ("crops", "x")])
def test_another_stand_in_than_recorded_is_refused(
    run: Run, recorded: str | None, used: str | None
) -> None:
    run.check_stand_ins({"photographs": used})  # no record yet
    write_json(run.layout.data("photographs"), {"stand_in": recorded})
    with pytest.raises(UserError, match=r"photographs\.json records .* delete the file"):
        run.check_stand_ins({"photographs": used})
    run.check_stand_ins({"photographs": recorded, "styles": "x"})


@pytest.mark.parametrize(
    ("protocol", "settings", "stage", "command"),
    [
        ("default", [], "train mnist_paper --seed 1", "l2l train mnist_paper --seed 1"),
        ("default", [], "train cifar --seed 1", "l2l take"),
        ("default", [], "tune mnist nag", "l2l tune mnist nag"),
        ("default", [], "tune cifar10 nag", "l2l take"),
        ("default", ["optimizers=trained"], "tune cifar10 nag", "l2l tune cifar10 nag"),
        ("default", ["optimizers=released"], "tune mnist nag", "l2l take"),
        ("smoke", [], "train cifar", "l2l train cifar --protocol smoke"),
    ],
)
def test_advice_is_a_whole_command(
    protocol: str, settings: list[str], stage: str, command: str
) -> None:
    added = " --set optimizers=released" if "optimizers=released" in settings else ""
    run = Run(load_config(protocol, settings=settings))
    assert run.command(stage) == command + added


def test_a_missing_file_is_named_with_the_command_that_makes_it(run: Run) -> None:
    path = run.layout.curves("mnist")
    with pytest.raises(
        UserError, match=rf"{path} is missing: run l2l test mnist --protocol smoke, or snakemake"
    ):
        run.existing(path, "test mnist")
    write_text(path, "")
    assert run.existing(path, "test mnist") == path


@pytest.mark.parametrize("content", ["{", "[]", '{"other": 1}', "3"])
def test_a_damaged_json_file_is_named(run: Run, content: str) -> None:
    path = run.layout.rate("mnist")
    write_text(path, content)
    with pytest.raises(UserError, match=rf"{path} is damaged .*l2l choose-rate mnist"):
        run.read_json(path, "choose-rate mnist", ["rate"])
