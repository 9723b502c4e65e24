"""Mixtures: other units are the chain rule, log-uniform scales, the same problems for a seed."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch
from tests.small import double, mlp_family, quadratic_family

from l2l.config.problems import MixtureSettings
from l2l.problems.mixture import MixtureFamily, Scaled

NAMES = ("train", "mixture")
A = torch.tensor([[0.2], [5.0]], dtype=torch.float64)
B = torch.tensor([3.0, 0.1], dtype=torch.float64)


def family(seed: int = 0, low: float = 0.1, high: float = 10.0) -> MixtureFamily:
    parts = {"two": quadratic_family(2), "five": quadratic_family(5), "mlp": mlp_family((3,))}
    scale: Any = {"low": low, "high": high}
    settings = MixtureSettings(kind="mixture", of=tuple(parts), scale=scale)
    return MixtureFamily(settings, seed, parts)


def scaled(part: str) -> Scaled:
    """Two problems in units that are far apart."""
    return Scaled(double(family().parts[part].sample(NAMES, range(2), 9)), A, B)


@pytest.mark.parametrize("part", ["two", "mlp"])
def test_the_loss_is_that_of_the_problem_where_theta_is_in_its_own_units(part: str) -> None:
    problems = scaled(part)
    theta = problems.initial().double()
    torch.testing.assert_close(A * theta, problems.problem.initial().double())
    theta = theta + 0.1 / A
    for found, own in (
        (problems.loss(theta, 3), problems.problem.loss(A * theta, 3)),
        (problems.train_loss(theta), problems.problem.train_loss(A * theta)),
    ):
        assert found.tolist() == pytest.approx([3.0 * own[0].item(), 0.1 * own[1].item()])


@pytest.mark.parametrize("part", ["two", "mlp"])
def test_the_gradient_equals_finite_differences_in_the_new_units(part: str) -> None:
    problems = scaled(part)
    theta = problems.initial().double() + 0.1 / A
    loss, gradient = problems.loss_and_gradient(theta, 3)
    torch.testing.assert_close(loss, problems.loss(theta, 3))
    for i in range(min(theta.shape[1], 12)):
        step = 1e-5 / A[:, 0]
        moved = [theta.clone(), theta.clone()]
        moved[0][:, i] += step
        moved[1][:, i] -= step
        slope = (problems.loss(moved[0], 3) - problems.loss(moved[1], 3)) / (2 * step)
        assert gradient[:, i].tolist() == pytest.approx(slope.tolist(), rel=1e-5, abs=1e-8)


def test_what_is_repeated_keeps_its_units() -> None:
    problems = scaled("two")
    thrice = problems.repeat(3)
    theta = torch.cat([problems.initial() + k for k in range(3)])
    alone = torch.cat([problems.loss(part, 0) for part in theta.split(2)])
    torch.testing.assert_close(thrice.loss(theta, 0), alone)
    assert problems.shapes == problems.problem.shapes
    assert problems.coordinates == 2


def test_units_are_log_uniform_over_their_range_and_independent() -> None:
    found = family(low=0.5, high=8).sample(NAMES, range(2000), 1)
    units = torch.stack([found.parameter_scale[:, 0], found.loss_scale], dim=1).double()
    logs = (units.log() - math.log(0.5)) / math.log(16)
    assert bool(((logs > -1e-6) & (logs < 1 + 1e-6)).all())
    for column in logs.T:
        counts = torch.histc(column, 10, 0, 1)
        assert counts.sub(200).abs().max() < 5 * math.sqrt(200)
    assert abs(torch.corrcoef(logs.T)[0, 1].item()) < 4 / math.sqrt(2000)


def test_units_of_no_width_are_the_parts_own_problems() -> None:
    found = family(low=1, high=1).sample(NAMES, range(3), 1)
    part = {2: "two", 5: "five"}.get(found.coordinates, "mlp")
    own = family().parts[part].sample((*NAMES, part), range(3), 1)
    torch.testing.assert_close(found.initial(), own.initial())
    torch.testing.assert_close(found.loss(own.initial(), 1), own.loss(own.initial(), 1))


def test_each_part_is_drawn_as_often_by_the_first_index() -> None:
    sizes = Counter(family().sample(NAMES, [k, 0], 1).coordinates for k in range(600))
    assert set(sizes) == {2, 5, mlp_family((3,)).sample(NAMES, [0], 1).coordinates}
    assert all(abs(count - 200) < 5 * math.sqrt(600 * 2 / 9) for count in sizes.values())


def test_a_seed_draws_the_same_problems_and_another_one_others() -> None:
    def drawn(seed: int, *names: str) -> list[torch.Tensor]:
        found = [family(seed).sample((*NAMES, *names), [k, k + 1], 1) for k in range(8)]
        return [
            torch.cat([p.initial(), p.parameter_scale, p.loss_scale[:, None]], 1) for p in found
        ]

    def parts(seed: int) -> list[int]:
        return [family(seed).sample(NAMES, [k], 1).coordinates for k in range(20)]

    assert all(map(torch.equal, drawn(0), drawn(0)))
    assert parts(0) == parts(0) != parts(1)
    for others in (drawn(1), drawn(0, "other")):
        assert not any(
            one[:, -2:].equal(other[:, -2:]) for one, other in zip(drawn(0), others, strict=True)
        )


def test_a_problem_has_units_of_its_own_in_any_batch() -> None:
    many, few = (family().sample(NAMES, indices, 1) for indices in ([4, 5, 6], [5, 4]))
    torch.testing.assert_close(many.loss_scale[:2], few.loss_scale.flip(0))
    torch.testing.assert_close(many.parameter_scale[:2], few.parameter_scale.flip(0))
