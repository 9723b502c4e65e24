"""The file of a meta-training's state."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.small import CPU

from l2l.meta.state import TENSORS, TrainingState, load_state, save_state
from l2l.optimizers.checkpoint import checksum


def _state() -> TrainingState:
    tensors = [torch.randn(11, generator=torch.Generator().manual_seed(k)) for k in range(6)]
    state = TrainingState(*tensors)
    state.adam_count, state.episode, state.attempt = 17, 9, 1
    state.best_validation, state.best_episode = 1 / 3, 8
    state.norms, state.epoch_norms = [1e-30, 2 / 3], [0.1]
    state.epoch_losses, state.epoch_skipped = [0.1 + 0.2, math.inf], 3
    state.rows = [{"episode": 4, "attempt": 0, "train_loss": 1 / 7, "seconds": 1.25}]
    state.collapsed, state.seconds = ["stuck at loss 2.3"], 12.5
    return state


def test_a_round_trip_keeps_every_field_to_the_bit(tmp_path: Path) -> None:
    saved = _state()
    save_state(tmp_path / "a.state", saved, "abc")
    loaded = load_state(tmp_path / "a.state", "abc", CPU)
    assert isinstance(loaded, TrainingState)
    for field in fields(TrainingState):
        one, other = getattr(saved, field.name), getattr(loaded, field.name)
        same = torch.equal(one, other) if field.name in TENSORS else one == other
        assert same, field.name


def test_a_state_before_the_first_validation_is_read_back_too(tmp_path: Path) -> None:
    state = TrainingState.start(torch.ones(3))
    save_state(tmp_path / "a.state", state, "abc")
    loaded = load_state(tmp_path / "a.state", "abc", CPU)
    assert isinstance(loaded, TrainingState)
    assert loaded.best_validation == math.inf
    assert not loaded.adam_mean.any()


def test_a_loaded_state_survives_its_file_being_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    save_state(path, _state(), "abc")
    loaded = load_state(path, "abc", CPU)
    assert isinstance(loaded, TrainingState)
    save_state(path, TrainingState.start(torch.zeros(11)), "abc")
    path.write_bytes(b"")
    assert torch.equal(loaded.phi, _state().phi)


def test_the_state_of_other_settings_is_not_read(tmp_path: Path) -> None:
    save_state(tmp_path / "a.state", _state(), "abc")
    found = load_state(tmp_path / "a.state", "abd", CPU)
    assert isinstance(found, str)
    assert "other settings" in found


def test_no_file_means_nothing_to_resume(tmp_path: Path) -> None:
    assert load_state(tmp_path / "a.state", "abc", CPU) == "nothing to resume"


@pytest.mark.parametrize("kept", [0, 5, 60, 500])
def test_a_cut_file_is_called_damaged_in_one_line(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.state"
    save_state(path, _state(), "abc")
    path.write_bytes(path.read_bytes()[:kept])
    _assert_damaged(path)


@pytest.mark.parametrize(
    "metadata",
    [
        {"digest": "abc"},
        {"digest": "abc", "numbers": "{"},
        {"digest": "abc", "numbers": "[1]"},
        {"digest": "abc", "numbers": '{"unknown": 1}'},
    ],
    ids=["no numbers", "no json", "a list", "an unknown field"],
)
def test_foreign_metadata_is_called_damaged(tmp_path: Path, metadata: dict[str, str]) -> None:
    path = tmp_path / "a.state"
    tensors = {name: torch.zeros(2) for name in TENSORS}
    seal = checksum("abc" + metadata.get("numbers", ""), tensors)
    save_file(tensors, path, metadata | {"sha256": seal})
    _assert_damaged(path)


def test_a_state_without_a_checksum_is_told_as_of_an_older_version(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    save_file({name: torch.zeros(2) for name in TENSORS}, path, {"digest": "abc", "numbers": "{}"})
    found = load_state(path, "abc", CPU)
    assert isinstance(found, str)
    assert "older version" in found


def test_a_missing_tensor_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    save_file({"phi": torch.zeros(2)}, path, {"digest": "abc", "numbers": "{}"})
    _assert_damaged(path)


def test_one_changed_byte_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    save_state(path, _state(), "abc")
    content = path.read_bytes()
    for position in range(8, len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        assert isinstance(load_state(path, "abc", CPU), str), position


def _assert_damaged(path: Path) -> None:
    found = load_state(path, "abc", CPU)
    assert isinstance(found, str)
    assert "damaged" in found
    assert "\n" not in found
