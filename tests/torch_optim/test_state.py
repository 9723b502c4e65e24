"""The state of an optimizer: saved, loaded, seen by hooks, and its memory."""

from __future__ import annotations

import copy
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.torch_optim.conftest import Write, learn, network, same
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

import l2l
from l2l.errors import UserError

KINDS = ["general", "quadratics", "mnist", "cifar:connected", "neural_art", "hierarchical"]


def pair(learned: str, **options: Any) -> tuple[nn.Module, l2l.LearnedOptimizer]:
    model = network()
    return model, l2l.LearnedOptimizer(model.parameters(), learned, **options)


def all_tensors(optimizer: l2l.LearnedOptimizer) -> list[Tensor]:
    return [t for e in optimizer.state_dict()["state"].values() for t in e["learned"].values()]


@pytest.mark.parametrize("way", ["state_dict", "deepcopy", "pickle"])
@pytest.mark.parametrize(
    "kind",
    ["lstm", "lstm in bfloat16", "normalised", "normalised in bfloat16", "hierarchical"],
)
def test_it_goes_on_with_the_same_bits(
    way: str, kind: str, lstm: Write, normalised: str, hierarchical: str
) -> None:
    others = {"normalised": normalised, "hierarchical": hierarchical}
    path = others.get(kind.split()[0]) or lstm()
    dtype = torch.bfloat16 if "bfloat16" in kind else torch.float32
    model = network()
    optimizer = l2l.LearnedOptimizer(model.parameters(), path, state_dtype=dtype)
    learn(model, optimizer, 4)
    if way == "state_dict":
        file = io.BytesIO()
        torch.save([model.state_dict(), optimizer.state_dict()], file)
        file.seek(0)
        weights, state = torch.load(file, weights_only=True)
        other = network(7)
        other.load_state_dict(weights)
        again = l2l.LearnedOptimizer(other.parameters(), path)
        again.load_state_dict(state)
    elif way == "deepcopy":
        other, again = copy.deepcopy([model, optimizer])
    else:
        file = io.BytesIO()
        torch.save([model, optimizer], file)
        file.seek(0)
        other, again = torch.load(file, weights_only=False)
    learn(model, optimizer, 4)
    assert not same(model, other)
    learn(other, again, 4)
    assert same(model, other)


def test_a_state_of_other_weights_or_other_parameters_is_refused(lstm: Write) -> None:
    model = network()
    optimizer = l2l.LearnedOptimizer(model.parameters(), lstm())
    learn(model, optimizer, 1)
    state = optimizer.state_dict()
    lstm(seed=1)  # another one under the same name
    changed = l2l.LearnedOptimizer(network().parameters(), optimizer.defaults["learned"])
    with pytest.raises(UserError, match="of another optimizer than"):
        changed.load_state_dict(state)
    optimizer.load_state_dict(state)  # its own weights are those that it has loaded
    lstm()
    smaller = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3))
    other = l2l.LearnedOptimizer(smaller.parameters(), lstm())
    with pytest.raises(UserError, match=r"state 'hidden' is of shape \(2, 30, 5\), expected"):
        other.load_state_dict(state)
    with pytest.raises(ValueError, match="parameter group"):
        l2l.LearnedOptimizer([smaller[0].weight], lstm()).load_state_dict(state)


def test_a_state_in_bfloat16_takes_half_the_memory_and_hardly_changes_a_run() -> None:
    ends, sizes = [], []
    for dtype in (torch.float32, torch.bfloat16):
        model = network()
        optimizer = l2l.LearnedOptimizer(model.parameters(), "mnist", state_dtype=dtype)
        ends.append(learn(model, optimizer, 60))
        tensors = all_tensors(optimizer)
        assert {t.dtype for t in tensors} == {dtype}
        sizes.append(sum(t.nbytes for t in tensors))
    assert sizes == [320 * 53, 160 * 53]
    assert ends[0] != ends[1]
    assert abs(ends[1] / ends[0] - 1) < 0.02


@pytest.mark.parametrize(("full", "flat"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("learned", KINDS)
def test_distributed_checkpoints_hold_the_state(learned: str, full: bool, flat: bool) -> None:
    options = StateDictOptions(flatten_optimizer_state_dict=flat, full_state_dict=full)
    model, optimizer = pair(learned)
    learn(model, optimizer, 2)
    saved = get_optimizer_state_dict(model, optimizer, options=options)
    other, again = pair(learned, lr=0.5)
    other.load_state_dict(model.state_dict())
    set_optimizer_state_dict(other, again, saved, options=options)
    learn(model, optimizer, 2)
    learn(other, again, 2)
    assert same(model, other)


@pytest.mark.parametrize("learned", ["mnist", "hierarchical"])
def test_hooks_see_the_state_and_may_replace_it(learned: str) -> None:
    """The documented use: parameters stand in another order, and a hook matches them by name."""
    seen = []
    model, optimizer = pair(learned)
    optimizer.register_state_dict_pre_hook(lambda optimizer: seen.append(len(optimizer.state)))
    optimizer.register_state_dict_post_hook(
        lambda _, state: state | {"names": [name for name, _ in model.named_parameters()]}
    )
    learn(model, optimizer, 2)
    saved = optimizer.state_dict()
    assert seen == [4]
    other = copy.deepcopy(model)
    turned = list(reversed(list(other.named_parameters())))
    again = l2l.LearnedOptimizer([p for _, p in turned], learned)

    def by_name(_: object, state: dict[str, Any]) -> dict[str, Any]:
        numbers = {name: number for number, name in enumerate(state["names"])}
        entries = {i: state["state"][numbers[name]] for i, (name, _) in enumerate(turned)}
        return state | {"state": entries}

    again.register_load_state_dict_pre_hook(by_name)
    again.register_load_state_dict_post_hook(lambda o: seen.append(len(o.state)), prepend=True)
    again.load_state_dict(saved)
    assert seen == [4, 4]
    learn(model, optimizer, 2)
    learn(other, again, 2)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("learned", KINDS)
def test_safetensors_can_hold_the_state(learned: str, tmp_path: Path) -> None:
    model, optimizer = pair(learned)
    learn(model, optimizer, 2)
    state = optimizer.state_dict()
    flat = {f"{n}/{k}": t for n, e in state["state"].items() for k, t in e["learned"].items()}
    save_file(flat, tmp_path / "state.safetensors")
    entries: dict[int, Any] = {number: {"learned": {}} for number in state["state"]}
    for name, tensor in load_file(tmp_path / "state.safetensors").items():
        number, key = name.split("/", 1)
        entries[int(number)]["learned"][key] = tensor
    other, again = pair(learned)
    other.load_state_dict(model.state_dict())
    again.load_state_dict(state | {"state": entries})
    learn(model, optimizer, 2)
    learn(other, again, 2)
    assert same(model, other)


def test_a_saved_state_shares_no_memory_with_the_optimizer(lstm: Write) -> None:
    model, optimizer = pair(lstm())
    learn(model, optimizer, 2)
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved["state"][0]["learned"])
    other, again = pair(lstm())
    again.load_state_dict(saved)
    learn(other, again, 1)
    learn(model, optimizer, 1)
    for name, tensor in before.items():
        assert torch.equal(saved["state"][0]["learned"][name], tensor)


def test_the_state_of_a_file_that_moved_loads(lstm: Write, tmp_path: Path) -> None:
    model, optimizer = pair(lstm())
    learn(model, optimizer, 2)
    saved = optimizer.state_dict()
    moved = shutil.move(lstm(), tmp_path / "moved.safetensors")
    other, again = pair(str(moved))
    other.load_state_dict(model.state_dict())
    again.load_state_dict(saved)
    assert again.param_groups[0]["learned"] == str(moved)
    learn(model, optimizer, 2)
    learn(other, again, 2)
    assert same(model, other)


def test_the_state_of_another_optimizer_brings_it_along() -> None:
    model, optimizer = pair("quadratics")
    learn(model, optimizer, 1)
    other, again = pair("mnist")
    again.load_state_dict(optimizer.state_dict())
    other.load_state_dict(model.state_dict())
    learn(model, optimizer, 1)
    learn(other, again, 1)
    assert same(model, other)


@pytest.mark.parametrize("fault", ["missing", "another shape", "of Adam", "another file"])
def test_a_refused_state_changes_nothing(fault: str, lstm: Write) -> None:
    model, optimizer = pair(lstm())
    learn(model, optimizer, 2)
    bad = optimizer.state_dict()
    bad["param_groups"][0]["lr"] = 0.1
    if fault == "missing":
        del bad["state"][3]["learned"]["cell"]
    elif fault == "another shape":
        bad["state"][3]["learned"]["cell"] = torch.zeros(2, 2, 5)
    elif fault == "of Adam":
        adam = torch.optim.Adam(network().parameters())
        bad = adam.state_dict()
    else:
        bad["param_groups"][0]["digest"] = "0" * 64
    expected = {
        "missing": r"the saved state 'cell' is missing, expected \(2, 3, 5\)",
        "another shape": r"the saved state 'cell' is of shape \(2, 2, 5\), expected \(2, 3, 5\)",
        "of Adam": r"not of an l2l\.LearnedOptimizer",
        "another file": "another optimizer than",
    }[fault]
    other, untouched = copy.deepcopy([model, optimizer])
    with pytest.raises(UserError, match=expected) as error:
        optimizer.load_state_dict(bad)
    assert "\n" not in str(error.value)
    learn(model, optimizer, 2)
    learn(other, untouched, 2)
    assert same(model, other)


def test_a_parameter_of_several_pieces_is_updated_as_a_whole_one(
    lstm: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for piece in (1000, 7):
        monkeypatch.setattr("l2l.torch_optim.optimizer.PIECE", piece)
        model, optimizer = pair(lstm(preprocessing="log"))
        learn(model, optimizer, 2)
        optimizer.load_state_dict(optimizer.state_dict())
        learn(model, optimizer, 2)
        ends.append([*model.parameters(), *all_tensors(optimizer)])
    for one, other in zip(*ends, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


PEAKS = """
import pathlib, torch, l2l
from l2l.torch_optim import optimizer as module

module.PIECE = 5_000
count = 100_000
status, refs = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")

def memory(what):
    return 1024 * int(status.read_text().split(what + ":")[1].split()[0])

def measured(action):
    refs.write_text("5")  # forget the peak
    result = action()
    print((memory("VmHWM") - start) / count)
    return result

def optimizer(count, dtype):
    parameter = torch.nn.Parameter(torch.zeros(count))
    parameter.grad = torch.full((count,), 0.01)
    return l2l.LearnedOptimizer([parameter], "mnist", state_dtype=dtype)

for dtype in (torch.float32, torch.bfloat16):
    warm = optimizer(100, dtype)
    warm.step()
    warm.load_state_dict(warm.state_dict())
    first, fresh = optimizer(count, dtype), optimizer(count, dtype)
    start = memory("VmRSS")
    measured(lambda: [first.step(), first.step()])
    saved = measured(first.state_dict)
    first.state.clear()
    measured(lambda: fresh.load_state_dict(saved))
    del warm, first, fresh, saved
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_peak_memory_is_little_more_than_the_state() -> None:
    program = [sys.executable, "-c", PEAKS]
    own_pages = os.environ | {"MALLOC_MMAP_THRESHOLD_": "100000"}  # no holes of earlier work
    output = subprocess.run(program, capture_output=True, text=True, check=True, env=own_pages)
    peaks = iter(map(float, output.stdout.split()))
    for state in (320, 160):  # bytes a coordinate
        assert state <= next(peaks) < 1.3 * state, "a step"
        assert next(peaks) < 2.3 * state, "state_dict"
        assert next(peaks) < 2.3 * state, "load_state_dict"
