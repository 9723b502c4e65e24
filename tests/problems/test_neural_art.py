"""f of Neural Art against a computation written out in float64, and which pictures problems get."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.problems.art import COUNTS, CPU, family, noise, random_weights, settings
from torch import Tensor

from l2l.config.problems import NeuralArtSettings
from l2l.errors import UserError
from l2l.problems.neural_art import NeuralArt, precision, square
from l2l.problems.vgg_features import VGGFeatures

ROOT = Path(__file__).parents[2]
STYLE = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


def weighted(content: float, style: float, variation: float) -> NeuralArtSettings:
    return settings(content_weight=content, style_weight=style, variation_weight=variation)


def _double(problems: NeuralArt) -> NeuralArt:
    exact = VGGFeatures.of(random_weights(), STYLE[-1], CPU, torch.float64)
    styles = [style.double() for style in problems.styles]
    return NeuralArt.of(exact, problems.settings, problems.content.double(), styles)


def _written_out(problems: NeuralArt, picture: Tensor, b: int) -> float:
    """The equations of the docstring, with loops, for one picture."""
    features = VGGFeatures.of(random_weights(), STYLE[-1], CPU, torch.float64)

    def of(image: Tensor, layer: str) -> np.ndarray:
        return features(image[None].double(), [layer])[layer][0].numpy()

    def gram(image: Tensor, layer: str) -> np.ndarray:
        found = of(image, layer)
        return np.einsum("ahw,bhw->ab", found, found) / found.size

    photograph, style = problems.content[b], problems.styles[b]
    target = of(photograph, "block4_conv2")
    content = np.sum((of(picture, "block4_conv2") - target) ** 2) / np.sum(target**2)
    layers = []
    for layer in STYLE:
        wanted = gram(style, layer)
        layers.append(np.sum((gram(picture, layer) - wanted) ** 2) / np.sum(wanted**2))
    p = picture.double().numpy()
    rows = np.mean((p[:, 1:] - p[:, :-1]) ** 2)
    columns = np.mean((p[:, :, 1:] - p[:, :, :-1]) ** 2)
    pixels = p.shape[1] * p.shape[2]
    return pixels / 64**2 * (content + 2 * np.mean(layers) + 10 * (rows + columns))


def test_the_loss_is_the_equation_written_out() -> None:
    problems = family(styles=("wave", "udnie"), size=20).sample(("test",), [0, 1], 1)
    theta = problems.initial() + 0.2 * torch.randn(2, 3 * 20 * 20)
    loss = problems.loss(theta, 0)
    for b in range(2):
        expected = _written_out(problems, theta[b].reshape(3, 20, 20), b)
        assert loss[b].item() == pytest.approx(expected, rel=1e-4)


def test_the_gradient_is_that_of_finite_differences() -> None:
    problems = _double(family().sample(("test",), [0], 1))
    theta = problems.initial() + 0.1
    _, gradient = problems.loss_and_gradient(theta, 0)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        direction = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
        h = 1e-8  # so small that no ReLU of the many changes its side
        difference = problems.loss(theta + h * direction, 0) - problems.loss(
            theta - h * direction, 0
        )
        slope = (gradient * direction).sum().item()
        assert difference.item() / (2 * h) == pytest.approx(slope, rel=1e-5)


def test_theta_starts_at_the_photograph_where_content_costs_nothing() -> None:
    problems = family().sample(("test",), [0], 1)
    assert torch.equal(problems.initial()[0].reshape(3, 16, 16), problems.content[0])
    only_content = replace(problems, settings=weighted(1, 0, 0))
    assert only_content.loss(problems.initial(), 0).item() == 0
    assert problems.loss(problems.initial(), 0).item() > 0


def test_the_style_itself_has_its_grams() -> None:
    problems = family().sample(("test",), [0], 1)
    only_style = replace(problems, settings=weighted(0, 1, 0))
    assert only_style.loss(problems.styles[0].flatten()[None], 0).item() < 1e-9


def test_a_coordinates_gradient_does_not_depend_on_the_resolution() -> None:
    """Noise of two sizes: without the factor the larger one's would be a sixteenth."""
    sizes = []
    for size in (32, 128):
        photograph = torch.full((1, 3, size, size), 0.5)
        noisy = photograph + 0.1 * torch.randn(photograph.shape)
        features = VGGFeatures.of(random_weights(), STYLE[-1], CPU, torch.float32)
        problem = NeuralArt.of(features, weighted(0, 0, 1), photograph, [photograph[0]])
        _, gradient = problem.loss_and_gradient(noisy.flatten(1), 0)
        sizes.append(gradient.square().mean().sqrt().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


def test_repeated_problems_are_the_same_ones_in_the_same_order() -> None:
    problems = family(styles=("wave", "udnie")).sample(("test",), [0, 1], 1)
    theta = problems.initial() + 0.1
    loss = problems.loss(theta, 0)
    torch.testing.assert_close(problems.repeat(2).loss(theta.repeat(2, 1), 0), loss.repeat(2))


def test_training_draws_from_its_photographs_and_tests_take_theirs_in_order() -> None:
    some = family(styles=("wave", "udnie"))
    test = some.sample(("test", "x"), range(5), 1)
    for i in range(5):
        assert torch.equal(test.content[i], square(noise(f"test{i}"), 16))
        assert torch.equal(test.styles[i], square(noise(("wave", "udnie")[i % 2]), 16))
    tune = some.sample(("tune", "x"), range(4), 1)
    assert torch.equal(tune.content[3], square(noise("validation3"), 16))
    train = some.sample(("train", "x"), range(40), 1)
    numbers = {
        next(n for n in range(50) if torch.equal(c, square(noise(f"train{n}"), 16)))
        for c in train.content
    }
    assert len(numbers) > 15
    again = some.sample(("train", "x"), [39], 1)
    assert torch.equal(again.content[0], train.content[39])
    assert {id(style) for style in train.styles} == {id(style) for style in some.styles}


def test_more_problems_than_photographs_are_refused() -> None:
    some = family()
    some.sample(("test",), range(COUNTS["test"]), 1)
    with pytest.raises(UserError, match="5 test photographs, not 6"):
        some.sample(("test",), range(6), 1)


def test_pictures_are_rows_columns_rgb_and_cut_off_outside() -> None:
    problems = family().sample(("test",), [0, 1], 1)
    theta = problems.initial().clone()
    theta[0, 0], theta[0, 1] = 1.7, -0.3  # red of the first two pixels
    pictures = problems.pictures(theta)
    assert pictures.styled.shape == (2, 16, 16, 3)
    assert pictures.styled[0, 0, :2, 0].tolist() == [255, 0]
    expected = (255 * square(noise("test1"), 16)).round().to(torch.uint8).permute(1, 2, 0)
    assert torch.equal(pictures.content[1], expected)
    assert pictures.style[0].shape == (16, 16, 3)
    assert pictures.first(1).styled.shape[0] == len(pictures.first(1).style) == 1


def test_the_middle_of_a_picture_is_taken() -> None:
    picture = np.zeros((10, 30, 3), dtype=np.uint8)
    picture[:, 10:20] = (255, 128, 0)
    middle = square(picture, 5)
    torch.testing.assert_close(middle[:, 2, 2], torch.tensor([1.0, 128 / 255, 0.0]))
    assert middle.std(dim=(1, 2)).max() < 1e-6


def test_precision_by_name() -> None:
    assert precision("float32", CPU) == torch.float32
    assert precision("bfloat16", CPU) == torch.bfloat16
    assert precision("auto", torch.device("cuda")) == torch.float32
    assert precision("auto", CPU) in (torch.float32, torch.bfloat16)


EPISODE = """
import resource, torch
from tests.problems.art import family
from tests.small import lstm_settings, random_phi
from l2l.estimators import adjoint
from l2l.meta.rollout import begin
from l2l.optimizers import CoordinatewiseLSTM
torch.set_num_threads(1)
problems = family(size=128).sample(("train",), [0], 6)
settings = lstm_settings(units=20)
optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
adjoint(problems, optimizer, begin(problems, optimizer), 6, lambda losses, first: losses * 0 + 1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_an_episode_at_128_pixels_stays_under_two_gib() -> None:
    """In a process of its own; another step of a window adds 0.6 MiB of inputs and cotangents."""
    done = subprocess.run(
        [sys.executable, "-c", EPISODE], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert 200 < float(done.stdout) < 2000
