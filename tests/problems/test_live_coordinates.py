"""Leaving out the coordinates that no loss depends on changes no loss and no other gradient."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.small import CPU, PIXELS, double, image_set, mlp_family, quadratic_family

from l2l.config import load_config
from l2l.problems import Setup, live_part, make_family
from l2l.problems.live_coordinates import LiveProblem
from l2l.problems.mlp import MLP, ImageSet


def _images(dark: list[int]) -> ImageSet:
    data = image_set()
    images = data.images.clone()
    images[:, dark] = 0
    return replace(data, images=images)


@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
@pytest.mark.parametrize("count", [1, 3])
def test_losses_and_gradients_are_those_of_the_whole_problem(
    hidden: tuple[int, ...], count: int
) -> None:
    family = mlp_family(hidden, data=_images([0, 4, 5]))
    whole = double(family.sample(("train",), range(count), 6))
    live = live_part(whole, train_loss=False)
    assert isinstance(live, LiveProblem)
    units = hidden[0] if hidden else 10
    assert live.coordinates == whole.coordinates - 3 * units
    theta = whole.initial()
    assert torch.equal(live.initial(), theta[:, live.index])
    kept = torch.zeros(whole.coordinates, dtype=torch.bool)
    kept[live.index] = True
    for step in range(7):
        loss, gradient = whole.loss_and_gradient(theta, step)
        assert not gradient[:, ~kept].any(), "what is left out has no gradient"
        found, part = live.loss_and_gradient(theta[:, live.index], step)
        torch.testing.assert_close(found, loss)
        torch.testing.assert_close(part, gradient[:, live.index])
        torch.testing.assert_close(live.loss(theta[:, live.index], step), loss)


def test_a_pixel_that_is_lit_once_in_the_episode_is_kept() -> None:
    data = _images([3])
    family = mlp_family((4,), data=data)
    problems = family.sample(("train",), [0], 4)
    images = data.images.clone()
    images[problems.minibatches[0, 4, 0], 3] = 1
    lit = replace(problems, data=replace(data, images=images))
    rows = torch.nn.functional.one_hot(torch.tensor(3), PIXELS).bool()
    assert torch.equal(problems.live(False)[: 4 * PIXELS].view(4, -1), ~rows.expand(4, -1))
    assert bool(lit.live(False).all())


def test_a_problem_that_needs_all_its_coordinates_stays_itself() -> None:
    quadratics = quadratic_family(3).sample(("train",), range(2), 4)
    assert live_part(quadratics) is quadratics
    problems = mlp_family((4,)).sample(("train",), range(2), 40)
    assert live_part(problems) is problems


def test_repeated_problems_and_the_missing_train_loss() -> None:
    problems = mlp_family((4,), data=_images([1])).sample(("train",), range(2), 3)
    live = live_part(problems, train_loss=False)
    twice = live.repeat(2)
    theta = twice.initial()
    assert torch.equal(twice.loss(theta, 1), live.loss(live.initial(), 1).repeat(2))
    with pytest.raises(NotImplementedError, match="whole problem"):
        live.train_loss(live.initial())


def test_train_loss_is_that_of_the_whole_problem_where_it_is_asked_for() -> None:
    """A pixel that is lit in the fixed sample alone is kept, and only then."""
    data = _images([3, 7])
    sample = torch.zeros(PIXELS, len(data.sample_labels), dtype=torch.uint8)
    sample[data.sample_pixels] = data.sample_images
    sample[[3, 7]] = 0
    sample[3, 0] = 200
    pixels = sample.amax(dim=1).nonzero()[:, 0]
    data = replace(data, sample_images=sample[pixels], sample_pixels=pixels)
    problems = mlp_family((4,), data=data).sample(("test",), range(2), 5)
    live = live_part(problems)
    assert live.coordinates == problems.coordinates - 4  # pixel 7
    assert live_part(problems, train_loss=False).coordinates == problems.coordinates - 8
    theta = torch.randn(2, live.coordinates, generator=torch.Generator().manual_seed(0))
    whole = torch.zeros(2, problems.coordinates).index_copy(1, live.index, theta)
    assert torch.equal(live.train_loss(theta), problems.train_loss(whole))


def test_an_episode_of_mnist_leaves_an_eighth_out(mnist_directory: Path) -> None:
    settings = load_config().problems["mnist"]
    family = make_family("x", Setup(0, mnist_directory, CPU, {"x": settings}))
    problems = family.sample(("train",), [0], 100)
    assert isinstance(problems, MLP)
    live = live_part(problems, train_loss=False)
    assert 0.85 < live.coordinates / problems.coordinates < 0.9
