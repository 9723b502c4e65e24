"""The checkpoint format: what torch can read back, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tests.small import lstm_settings, random_phi
from torch import nn

from l2l.errors import UserError
from l2l.optimizers import CoordinatewiseLSTM, checkpoint

PROVENANCE = {"recipe": "mnist_paper", "meta_seed": 1, "best_validation": 0.1 + 0.2, "inputs": {}}


def _optimizer(**changes: Any) -> CoordinatewiseLSTM:
    settings = lstm_settings(**changes)
    return CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "optimizer.safetensors"
    checkpoint.save(path, _optimizer(), PROVENANCE)
    return path


def _rewrite(path: Path, change: Any, tensors: dict[str, torch.Tensor] | None = None) -> None:
    """The file at `path` with other metadata, of the format without a checksum."""
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["l2l"]) | {"format": 1}
    del description["sha256"]
    described = change(description)
    metadata = None if described is None else {"l2l": described}
    save_file(tensors or {k: v.clone() for k, v in load_file(path).items()}, path, metadata)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("preprocessing", ["none", "log"])
def test_a_round_trip_keeps_all_bits(tmp_path: Path, layers: int, preprocessing: str) -> None:
    saved = _optimizer(layers=layers, preprocessing=preprocessing, p=6.5, output_scale=1 / 3)
    checkpoint.save(tmp_path / "a.safetensors", saved, PROVENANCE)
    loaded = checkpoint.load(tmp_path / "a.safetensors")
    assert loaded.optimizer.settings == saved.settings
    assert list(loaded.provenance) == list(PROVENANCE)
    assert loaded.provenance == PROVENANCE
    assert loaded.optimizer.phi.keys() == saved.phi.keys()
    for name, tensor in saved.phi.items():
        assert torch.equal(loaded.optimizer.phi[name], tensor)
        assert loaded.optimizer.phi[name].dtype == torch.float32


def test_the_same_optimizer_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "again.safetensors", _optimizer(), PROVENANCE)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_torch_lstm_and_linear_load_it_by_stripping_the_prefixes(path: Path) -> None:
    tensors = load_file(path)
    lstm, head = nn.LSTM(2, 5, 2), nn.Linear(5, 1)
    lstm.load_state_dict(
        {k.removeprefix("lstm."): v for k, v in tensors.items() if k.startswith("lstm.")}
    )
    head.load_state_dict(
        {k.removeprefix("head."): v for k, v in tensors.items() if k.startswith("head.")}
    )


def test_the_file_alone_is_enough_to_apply_the_optimizer(path: Path) -> None:
    """A reader that knows safetensors, torch and the metadata, but nothing of this package."""
    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["l2l"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    inputs = {"none": 1, "log": 2}[told["preprocessing"]]
    model = nn.ModuleDict(
        {
            "lstm": nn.LSTM(inputs, told["units"], told["layers"]),
            "head": nn.Linear(told["units"], 1),
        }
    )
    model.load_state_dict(tensors)
    gradient = torch.tensor([[2.0, -1e-6, 0.3]])
    edge = torch.exp(torch.tensor(-told["p"]))
    features = torch.stack(
        [
            torch.where(gradient.abs() >= edge, gradient.abs().log() / told["p"], -1),
            torch.where(gradient.abs() >= edge, gradient.sign(), gradient / edge),
        ],
        dim=-1,
    )
    with torch.no_grad():
        expected = told["output_scale"] * model["head"](model["lstm"](features)[0])[..., 0]
    ours = checkpoint.load(path).optimizer
    step, _ = ours.update(gradient, ours.init(gradient))
    torch.testing.assert_close(step, expected, rtol=1e-5, atol=1e-7)


def test_the_metadata_holds_every_value_that_the_issue_names(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        assert set(file.metadata()) == {"l2l"}
        told = json.loads(file.metadata()["l2l"])
    for key in ("preprocessing", "p", "output_scale", "units", "layers"):
        assert told[key] == getattr(_optimizer().settings, key)
    assert told["provenance"] == PROVENANCE
    for convention in ("input", "output", "state"):
        assert isinstance(told[convention], str)
        assert told[convention]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no checkpoint at .*gone\.safetensors"):
        checkpoint.load(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("kept", [0, 7, 100, 2000])
def test_a_cut_file_is_refused_in_one_line(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    _assert_refused(path)


def test_a_file_of_another_format_is_refused_in_one_line(path: Path) -> None:
    path.write_bytes(b"\x80\x04not a checkpoint at all" * 40)
    _assert_refused(path)


def test_a_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").mkdir()
    _assert_refused(tmp_path / "a.safetensors")


def test_no_changed_byte_changes_what_is_loaded(path: Path) -> None:
    """Each of the header's bytes, and some of every tensor's."""
    content, good = path.read_bytes(), checkpoint.load(path)
    header = 8 + int.from_bytes(content[:8], "little")
    tensors = range(header, len(content), 7)
    refused = 0
    for position in (*range(header), *tensors):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        try:
            found = checkpoint.load(path)
        except UserError:
            refused += 1
        else:  # the last digit of a number that is rounded to the same one
            assert found.optimizer.settings == good.optimizer.settings
            assert found.provenance == good.provenance
            assert _same_phi(found, good)
    assert refused > len(tensors) + 0.99 * header


def test_the_format_without_a_checksum_is_read(path: Path) -> None:
    good = checkpoint.load(path)
    _rewrite(path, json.dumps)
    found = checkpoint.load(path)
    assert found.provenance == good.provenance
    assert _same_phi(found, good)


def _same_phi(one: checkpoint.Checkpoint, other: checkpoint.Checkpoint) -> bool:
    return all(torch.equal(one.optimizer.phi[k], v) for k, v in other.optimizer.phi.items())


def _without(key: str) -> Any:
    return lambda told: json.dumps({k: v for k, v in told.items() if k != key})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda told: None, id="no metadata"),
        pytest.param(lambda told: "{not json", id="no json"),
        pytest.param(lambda told: "[1, 2]", id="a list"),
        pytest.param(lambda told: "null", id="null"),
        pytest.param(lambda told: json.dumps(told | {"units": "many"}), id="a wrong type"),
        pytest.param(
            lambda told: json.dumps(told | {"units": -1, "p": 0, "layers": 99}), id="out of range"
        ),
        pytest.param(lambda told: json.dumps(told | {"preprocessing": "sqrt"}), id="unknown"),
        pytest.param(_without("output_scale"), id="no output_scale"),
        pytest.param(_without("provenance"), id="no provenance"),
        pytest.param(lambda told: json.dumps(told | {"format": 99}), id="a later format"),
    ],
)
def test_foreign_metadata_is_refused_in_one_line(path: Path, change: Any) -> None:
    _rewrite(path, change)
    _assert_refused(path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda t: t | {"extra": torch.zeros(2)}, id="one more"),
        pytest.param(
            lambda t: {k: v for k, v in t.items() if k != "lstm.bias_hh_l1"}, id="one less"
        ),
        pytest.param(lambda t: t | {"head.weight": torch.zeros(1, 6)}, id="another shape"),
    ],
)
def test_tensors_that_do_not_fit_the_settings_are_refused(path: Path, change: Any) -> None:
    _rewrite(path, json.dumps, change({k: v.clone() for k, v in load_file(path).items()}))
    message = _assert_refused(path)
    assert "do not fit" in message


def _assert_refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        checkpoint.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message
