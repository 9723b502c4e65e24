"""What the convolutional features of VGG-16 are, whatever they came from: 26 arrays, one digest.

The network of Simonyan and Zisserman (2015), with the weights its authors published for Caffe: the
input is BGR, 0 to 255, minus the mean pixel.
"""

from __future__ import annotations

# Channels of each block's convolutions, all 3 x 3.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
MEAN_BGR = (103.939, 116.779, 123.68)
# SHA-256 over all arrays in the order of SHAPES, float32, C order.
DIGEST = "dd21191fd3ba4d9b2b0104621c806227994d029acdf7f88d3ca0afd5774c15cf"
NAME = f"vgg16_{DIGEST[:8]}"


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
