"""A meta-training that goes on from its state, and one that must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.helpers import flipped
from tests.meta.runs import (
    FAMILY,
    RICH,
    InterruptedFamily,
    PowerCutError,
    assert_same,
    run,
    training,
)
from tests.small import recipe

from l2l.meta import train as train_module
from l2l.meta.train import train


@pytest.mark.parametrize("damage", ["truncated", "one byte", "another file"])
def test_a_damaged_state_is_said_and_training_starts_anew(
    damage: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    expected = run(recipe(), tmp_path / "a")
    path = tmp_path / "a.state"
    with pytest.raises(PowerCutError):
        train(training(recipe()), InterruptedFamily(5), path, "digest")
    good = path.read_bytes()
    damaged = {"truncated": good[:-9], "one byte": flipped(good), "another file": b"not a state"}
    path.write_bytes(damaged[damage])
    capsys.readouterr()
    found = train(training(recipe()), FAMILY, path, "digest")
    said = capsys.readouterr().err
    assert "damaged" in said
    assert "starting anew" in said
    assert_same(found, expected)


@pytest.mark.parametrize("episodes", [1, 3, 4, 6, 7, 11])
def test_a_run_interrupted_after_any_episode_ends_with_the_same_bits(
    tmp_path: Path,
    episodes: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    chosen = recipe(**RICH)
    path = tmp_path / "a.state"
    with pytest.raises(PowerCutError):
        train(training(chosen), InterruptedFamily(episodes), path, "digest")
    assert path.exists()
    capsys.readouterr()
    resumed = train(training(chosen), FAMILY, path, "digest")
    assert f"resumed after episode {episodes}" in capsys.readouterr().err
    assert_same(resumed, run(chosen, tmp_path / "other"))


def test_the_state_of_other_settings_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    path = tmp_path / "a.state"
    with pytest.raises(PowerCutError):
        train(training(recipe(), rate=0.5), InterruptedFamily(5), path, "one digest")
    capsys.readouterr()
    found = train(training(recipe()), FAMILY, path, "another digest")
    said = capsys.readouterr().err
    assert "other settings" in said
    assert "resumed" not in said
    assert_same(found, run(recipe(), tmp_path / "other"))
