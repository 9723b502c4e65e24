"""The sampled backward pass: unbiased, bounded, in a stream of its own, repeatable."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from tests.meta.runs import assert_same, run
from tests.small import lstm_settings, mlp_family, random_phi, recipe

from l2l.config.recipes import Sampling
from l2l.estimators import adjoint, sample_cotangents
from l2l.estimators.sampling import probabilities
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM
from l2l.rng import stream

RULES = pytest.mark.parametrize("uniform", [0.0, 0.2, 1.0])
FRACTIONS = pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])


def cotangents(steps: int = 7, coordinates: int = 400, dead: int = 50) -> torch.Tensor:
    """Norms that differ by orders of magnitude, and coordinates that are zero throughout."""
    generator = torch.Generator().manual_seed(5)
    scale = torch.randn(coordinates, generator=generator).mul(2).exp()
    scale[torch.randperm(coordinates, generator=generator)[:dead]] = 0
    return scale * torch.randn(steps, coordinates, generator=generator)


@RULES
@FRACTIONS
def test_the_expected_number_drawn_is_the_fraction(fraction: float, uniform: float) -> None:
    chances = probabilities(cotangents(), Sampling(fraction=fraction, uniform=uniform))
    assert chances.sum().item() == pytest.approx(fraction * 350)
    assert bool(((chances >= 0) & (chances <= 1)).all())
    assert torch.equal(chances == 0, (cotangents() == 0).all(dim=0))


def test_the_rule_is_the_configured_one() -> None:
    """By hand where no chance reaches 1: over the steps, sizes are summed."""
    given = torch.tensor([[1.0, 1.0, -3.0, 0.0, 2.0], [0.0, -1.0, 0.0, 0.0, 4.0]])
    chances = probabilities(given, Sampling(fraction=0.25, uniform=0.2))
    expected = [0.25 * (0.8 * norm / 3 + 0.2) for norm in (1, 2, 3)] + [0, 0.25 * 1.8]
    assert chances.tolist() == pytest.approx(expected)


def test_uniform_draws_are_equal_and_chances_above_one_are_shared_out() -> None:
    chances = probabilities(cotangents(), Sampling(fraction=0.3, uniform=1.0))
    assert chances[chances > 0].tolist() == pytest.approx([0.3] * 350)
    norms = torch.tensor([100.0, 1.0, 1.0, 1.0])
    chances = probabilities(norms[None], Sampling(fraction=0.5, uniform=0.0))
    assert chances.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])


@RULES
@FRACTIONS
def test_a_coordinate_is_drawn_as_often_as_its_chance_and_weighted_by_its_inverse(
    fraction: float, uniform: float
) -> None:
    """Over many draws the mean of what is drawn is the cotangents themselves."""
    given, settings = cotangents(), Sampling(fraction=fraction, uniform=uniform)
    chances = probabilities(given, settings)
    generator, draws = torch.Generator().manual_seed(0), 4000
    total, counts = torch.zeros_like(given), torch.zeros(given.shape[1])
    for _ in range(draws):
        sampled = sample_cotangents(given, settings, generator)
        total += sampled
        drawn = (sampled != 0).any(dim=0)
        counts += drawn
        assert abs(int(drawn.sum()) - fraction * 350) < 1  # systematic: always the same number
    deviation = (counts / draws - chances).abs()
    assert bool((deviation < 5 * (chances * (1 - chances) / draws).sqrt() + 1e-6).all())
    error = (total / draws - given).norm() / given.norm()
    assert error < 5 / math.sqrt(fraction * draws)


def test_the_sampled_meta_gradient_is_unbiased_and_a_full_fraction_exact() -> None:
    settings = lstm_settings()
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    problems = mlp_family((4,)).sample(("train",), range(2), 10)
    start, weights = begin(problems, optimizer), loss_weights(recipe(steps=10))

    def gradient(sampling: Sampling | None, seed: int = 0) -> torch.Tensor:
        sample = None
        if sampling is not None:
            generator = torch.Generator().manual_seed(seed)
            sample = partial(sample_cotangents, settings=sampling, generator=generator)
        window = adjoint(problems, optimizer, start, 10, weights, sample)
        return torch.cat([value.flatten() for value in window.gradient.values()])

    exact = gradient(None)
    assert torch.equal(gradient(Sampling(fraction=1, uniform=0.2)), exact)
    draws = [gradient(Sampling(fraction=0.3, uniform=0.2), seed) for seed in range(400)]
    single = torch.stack([(draw - exact).norm() for draw in draws]).square().mean().sqrt()
    mean = torch.stack(draws).mean(dim=0)
    assert single > 0.01 * exact.norm(), "something is left out"
    assert (mean - exact).norm() < 3 * single / math.sqrt(400)


def test_a_diverged_window_stays_visible() -> None:
    broken = cotangents()
    broken[2, 7] = math.nan
    sampled = sample_cotangents(broken, Sampling(fraction=0.1, uniform=0.2), stream(0, "x"))
    assert sampled.isnan().any()


def test_no_cotangents_draw_nothing() -> None:
    silent = torch.zeros(3, 20)
    sampled = sample_cotangents(silent, Sampling(fraction=0.1, uniform=0.2), stream(0, "x"))
    assert torch.equal(sampled, silent)


def test_meta_training_draws_from_a_stream_of_its_own(tmp_path: Path) -> None:
    """A sampled run repeats to the bit, and is another one than the exact run."""
    sampled = recipe(sampling={"fraction": 0.5, "uniform": 0.2})
    first, again = run(sampled, tmp_path / "first"), run(sampled, tmp_path / "again")
    exact = run(recipe(), tmp_path / "exact")
    assert_same(first, again)
    assert not torch.equal(first.phi, exact.phi)
