"""Window lengths, the meta learning rate and the loss weights, from their definitions."""

from __future__ import annotations

import math

import pytest
import torch
from tests.small import recipe

from l2l.config.recipes import MetaLearningRate
from l2l.errors import UserError
from l2l.meta.schedule import episode_length, loss_weights, meta_learning_rate, window_length

GROWING = [{"start": 0, "window": 20}, {"start": 0.25, "window": 50}, {"start": 0.5, "window": 100}]


def _rate(schedule: str, final_fraction: float = 0.1) -> MetaLearningRate:
    return MetaLearningRate(
        low=1e-3,
        high=1e-2,
        trials=1,
        episodes=5,
        schedule=schedule,
        final_fraction=final_fraction,
    )


def test_windows_grow_at_the_given_fractions_of_the_episodes() -> None:
    growing = recipe(episodes=400, steps=100, unroll=GROWING)
    lengths = [window_length(growing, episode) for episode in range(400)]
    assert lengths == [20] * 100 + [50] * 100 + [100] * 200


def test_fractions_shrink_with_the_number_of_episodes() -> None:
    growing = recipe(episodes=8, steps=100, unroll=GROWING)
    assert [window_length(growing, e) for e in range(8)] == [20] * 2 + [50] * 2 + [100] * 4


def test_a_window_is_never_longer_than_the_episode() -> None:
    assert window_length(recipe(episodes=4, steps=30, unroll=GROWING), 3) == 30


def test_the_constant_schedule_is_constant() -> None:
    rates = {meta_learning_rate(_rate("constant"), 0.004, k / 10) for k in range(10)}
    assert rates == {0.004}


def test_the_cosine_goes_from_the_rate_to_its_final_fraction() -> None:
    settings = _rate("cosine", 0.2)
    assert meta_learning_rate(settings, 0.01, 0.0) == pytest.approx(0.01)
    assert meta_learning_rate(settings, 0.01, 0.5) == pytest.approx(0.006)
    assert meta_learning_rate(settings, 0.01, 1.0) == pytest.approx(0.002)


def test_the_cosine_is_that_of_torch() -> None:
    steps, peak = 40, 0.01
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=0.1 * peak)
    for step in range(steps):
        found = meta_learning_rate(_rate("cosine", 0.1), peak, step / steps)
        assert found == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        theirs.step()


def test_equal_weights_are_ones_and_inverse_weights_follow_each_loss() -> None:
    losses = torch.tensor([[0.5, 2.0], [0.0, 1.0]])
    assert torch.equal(loss_weights(recipe(loss_weights="equal"))(losses, 7), torch.ones(2, 2))
    inverse = loss_weights(recipe(loss_weights="inverse", inverse_offset=0.25))
    expected = torch.tensor([[1 / 0.75, 1 / 2.25], [1 / 0.25, 1 / 1.25]])
    torch.testing.assert_close(inverse(losses, 7), expected)


def test_the_final_weight_is_one_at_the_last_step_of_the_episode_only() -> None:
    weights = loss_weights(recipe(steps=20, loss_weights="final"))
    assert not weights(torch.rand(10, 3), 1).any()
    last = weights(torch.rand(10, 3), 11)
    assert torch.equal(last, torch.cat([torch.zeros(9, 3), torch.ones(1, 3)]))


def test_a_list_gives_the_weight_of_every_step_counted_from_one() -> None:
    given = [math.sqrt(t) for t in range(20)]
    weights = loss_weights(recipe(steps=20, loss_weights=given))
    windows = [weights(torch.rand(n, 2), first) for first, n in ((1, 8), (9, 8), (17, 4))]
    assert torch.cat(windows)[:, 1].tolist() == pytest.approx(given)


def test_episodes_are_as_long_as_their_stage_says_else_as_the_recipe_says() -> None:
    stages = [{"start": 0, "window": 20}, {"start": 0.5, "window": 50, "steps": 300}]
    longer = recipe(episodes=4, steps=30, unroll=stages)
    assert [episode_length(longer, episode) for episode in range(4)] == [30, 30, 300, 300]
    assert [window_length(longer, episode) for episode in range(4)] == [20, 20, 50, 50]
    with pytest.raises(UserError, match="loss_weights must be equal or inverse"):
        recipe(steps=30, unroll=stages, loss_weights="final")
