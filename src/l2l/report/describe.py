"""Problems of the configuration in words, for readers who have not seen the YAML."""

from __future__ import annotations

import itertools

from l2l.config.problems import (
    ConvNetSettings,
    MixtureSettings,
    MLPSettings,
    NeuralArtSettings,
    ProblemSettings,
    QuadraticSettings,
)
from l2l.report.words import count, listed, plain

PIXELS, CLASSES = {"mnist": 784}, {"mnist": 10}
COLOUR_IMAGES = {"cifar10": (32, 3)}
"""Dataset -> width and height of its images, and their colours."""
CLASS_NAMES = {
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
}
CONTENT_LAYER = "block4_conv2"
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
"""Of VGG-16, as in `l2l.problems.neural_art`, which imports torch."""


def problem(settings: ProblemSettings) -> tuple[str, str]:
    """What the function is; and what is drawn at random, for each problem of the family.

    Two texts, so that families that differ in the first alone can share the second.
    """
    if isinstance(settings, MLPSettings):
        return _mlp(settings), _drawn(settings)
    if isinstance(settings, ConvNetSettings):
        return _convnet(settings), (
            f"{_drawn(settings)} Batch normalisation uses the statistics of the batch at hand, in "
            "training and for the held-out loss too."
        )
    if isinstance(settings, NeuralArtSettings):
        return _neural_art(settings)
    if isinstance(settings, MixtureSettings):
        low, high = settings.scale.low, settings.scale.high
        return (
            f"Each batch has problems of one of these kinds: {listed(list(settings.of))}.",
            "The units of θ and of the loss of each problem are drawn anew, log-uniformly from "
            f"{plain(low)} to {plain(high)}.",
        )
    if not isinstance(settings, QuadraticSettings):  # a kind that has no words yet
        return f"Each problem is of the kind {settings.kind}.", "Each one is drawn anew."
    d = settings.dimensions
    return (
        f"Each problem is a function of {d} numbers, f(θ) = ‖Wθ − y‖².",
        f"The {d} × {d} matrix W and the vector y are drawn from a standard normal distribution, "
        "anew for each problem; θ starts near zero (normal, standard deviation "
        f"{settings.init_std:g}).",
    )


def _mlp(settings: MLPSettings) -> str:
    widths = [PIXELS[settings.dataset], *settings.hidden, CLASSES[settings.dataset]]
    parameters = sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(widths))
    return (
        f"Each problem is a network with {'-'.join(map(str, widths))} units "
        f"({settings.activation} between the layers, n = {parameters:,} parameters θ) that is to "
        f"classify {settings.dataset.upper()} images."
    )


def _convnet(settings: ConvNetSettings) -> str:
    size, below = COLOUR_IMAGES[settings.dataset]
    convolutional = 0
    for channels in settings.channels:
        convolutional += channels * below * 25 + 2 * channels  # 5x5 kernels, scale and shift
        below, size = channels, size // 2
    hidden, classes = settings.hidden, len(settings.labels)
    connected = hidden * below * size**2 + 2 * hidden + classes * (hidden + 1)
    return (
        f"Each problem is a network of {count(len(settings.channels), 'convolutional layer')} with "
        f"{listed(list(map(str, settings.channels)))} channels (5 × 5, batch normalisation, ReLU, "
        f"2 × 2 max pooling), a connected layer of {hidden} units (batch normalisation, ReLU) "
        f"and {classes} outputs: n = {convolutional + connected:,} parameters θ, "
        f"{convolutional:,} of them convolutional. It is to classify {settings.dataset.upper()} "
        f"images of {classes} classes ({listed(class_names(settings))})."
    )


def _neural_art(settings: NeuralArtSettings) -> tuple[str, str]:
    size, names = settings.size, listed(settings.styles)
    weights = (settings.content_weight, settings.style_weight, settings.variation_weight)
    content, style, variation = (plain(weight) for weight in weights)
    several = len(settings.styles) > 1
    styles = f"{len(settings.styles)} styles take turns" if several else "The style is always one"
    return (
        f"Each problem is to repaint a photograph of {size} × {size} pixels: θ is the picture, "
        f"n = 3 · {size}² = {3 * size**2:,} numbers, red, green and blue of every pixel, and it "
        f"starts as the photograph itself. {styles} (in the configuration: {names}). The factor s "
        f"of f is {plain((size / 64) ** 2)}.",
        'What is minimised is\n\n<p class="equation">f(θ) = s · ('
        f"{content} L<sub>content</sub> + {style} L<sub>style</sub> + "
        f"{variation} L<sub>variation</sub>)</p>\n\n"
        "the same at every step: there are no minibatches. A network that was trained to recognise "
        "things, VGG-16, looks at the picture; its weights are fixed.\n\n"
        f"- L<sub>content</sub> says how far the activations of its layer {CONTENT_LAYER} are from "
        "those of the photograph: the mean squared difference, divided by the mean square of the "
        "photograph's.\n"
        "- L<sub>style</sub> is the same for Gram matrices, which say what features occur together "
        "wherever they are, against those of the style's picture; on average over five layers "
        f"({listed(STYLE_LAYERS)}).\n"
        "- L<sub>variation</sub> is the mean squared difference of neighbouring pixels, vertical "
        "and horizontal.\n"
        "- s is the number of pixels over 64²: with it the gradient of a single number of θ does "
        "not shrink when there are more of them.",
    )


def _drawn(settings: MLPSettings | ConvNetSettings) -> str:
    start = (
        "uniformly between −1/√k and 1/√k, k the inputs of the layer (PyTorch's default)"
        if settings.init == "torch"
        else f"from a normal distribution with standard deviation {settings.init_std:g}"
    )
    return (
        f"The loss at a step is the cross-entropy on a fresh minibatch of {settings.batch_size} "
        f"training images. The parameters start {start}; a problem is one such start with its own "
        "sequence of minibatches."
    )


def class_names(settings: ConvNetSettings) -> list[str]:
    """The classes that a network tells apart."""
    return [CLASS_NAMES[settings.dataset][label] for label in settings.labels]
