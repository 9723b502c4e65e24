"""Which settings each stage depends on: what makes it run again, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from l2l.config import Config, load_config, resolved_yaml
from l2l.config.inputs import (
    digest,
    drawing_inputs,
    evaluation_inputs,
    measurement_inputs,
    training_inputs,
    trial_inputs,
    tuning_inputs,
)

STAGES: dict[str, Callable[[Config], dict[str, Any]]] = {
    "train paper": lambda c: training_inputs(c, "mnist_paper"),
    "trial paper": lambda c: trial_inputs(c, "mnist_paper"),
    "train long": lambda c: training_inputs(c, "mnist_long_unroll"),
    "trial long": lambda c: trial_inputs(c, "mnist_long_unroll"),
    "train quadratics": lambda c: training_inputs(c, "quadratics_lstm"),
    "trial quadratics": lambda c: trial_inputs(c, "quadratics_lstm"),
    "tune nag mnist": lambda c: tuning_inputs(c, "mnist", "nag"),
    "tune adam mnist": lambda c: tuning_inputs(c, "mnist", "adam"),
    "tune nag quadratics": lambda c: tuning_inputs(c, "quadratics", "nag"),
    "evaluate mnist": lambda c: evaluation_inputs(c, "mnist"),
    "evaluate quadratics": lambda c: evaluation_inputs(c, "quadratics"),
    "train cifar": lambda c: training_inputs(c, "cifar"),
    "tune nag cifar": lambda c: tuning_inputs(c, "cifar10", "nag"),
    "evaluate cifar": lambda c: evaluation_inputs(c, "cifar10"),
    "evaluate art": lambda c: evaluation_inputs(c, "neural_art"),
    "measure overhead": lambda c: measurement_inputs(c, "overhead"),
    "measure updates": lambda c: measurement_inputs(c, "updates"),
    "measure gradients": lambda c: measurement_inputs(c, "meta_gradients"),
    "draw": drawing_inputs,
}
PAPER = {"train paper", "trial paper"}
MEASURED = {"measure overhead", "measure updates"}
MNIST = {
    "train paper",
    "trial paper",
    "train long",
    "trial long",
    "tune nag mnist",
    "tune adam mnist",
    "evaluate mnist",
    *MEASURED,
    "measure gradients",
    "train cifar",  # it goes on from the optimizer that was meta-trained there
}


def _changed(*settings: str) -> set[str]:
    before, after = load_config(), load_config(settings=settings)
    assert before != after
    return {name for name, stage in STAGES.items() if digest(stage(before)) != digest(stage(after))}


@pytest.mark.parametrize(
    ("setting", "stages"),
    [
        # looks
        ("recipes.mnist_paper.label=Another name", {"draw"}),
        ("experiments.mnist.title=Another title", {"draw"}),
        ("figures.font_size=12.5", {"draw"}),
        ("figures.dpi=111", {"draw"}),
        ("figures.interval=0.9", {"draw"}),
        # where and how wide
        ("compute.device=cpu", {"measure overhead"}),  # times depend on it, losses do not
        ("compute.devices={train: cpu, tune: cpu, evaluate: cpu}", set()),
        ("compute.devices={measure: cpu}", {"measure overhead"}),
        ("compute.threads=2", {"measure overhead"}),
        ("data.directory=elsewhere", set()),
        ("evaluation.batch=3", set()),
        # more of the same: old jobs stay as they are
        ("meta_seeds=9", set()),
        ("recipes.mnist_paper.meta_learning_rate.trials=9", set()),
        # one recipe
        ("recipes.mnist_paper.optimizer.units=7", PAPER | {"measure overhead"}),
        ("recipes.mnist_paper.optimizer.p=7", PAPER),
        ("recipes.mnist_paper.optimizer.head_init_scale=1", PAPER),
        ("recipes.mnist_paper.steps=50", PAPER),
        ("recipes.mnist_paper.problems_per_episode=2", PAPER),
        ("recipes.mnist_paper.unroll=[{start: 0, window: 10}]", PAPER),
        ("recipes.mnist_paper.loss_weights=final", PAPER),
        ("recipes.mnist_paper.inverse_offset=0.1", PAPER),
        ("recipes.mnist_paper.clip=running_median", PAPER),
        ("recipes.mnist_paper.averaging=0.5", PAPER),
        ("recipes.mnist_paper.validation.every=10", PAPER),
        ("recipes.mnist_paper.validation.problems=3", PAPER),
        ("recipes.mnist_paper.attempts=3", set()),  # only decides when to give up
        ("recipes.mnist_paper.step_backs=3", set()),  # likewise
        ("recipes.mnist_paper.meta_learning_rate.schedule=cosine", PAPER),
        ("recipes.mnist_paper.meta_learning_rate.final_fraction=0.5", PAPER),
        ("recipes.mnist_paper.episodes=1000", PAPER),
        ("recipes.mnist_paper.meta_learning_rate.episodes=30", {"trial paper"}),
        ("recipes.mnist_paper.meta_learning_rate.low=1.1e-3", {"trial paper"}),
        ("recipes.mnist_paper.meta_learning_rate.high=1.1e-2", {"trial paper"}),
        # one problem, one experiment, one baseline
        ("measurements.meta_gradients.stages.long.title=late", {"draw"}),
        ("measurements.meta_gradients.estimators.es.estimator.sigma=0.1", {"measure gradients"}),
        ("problems.mnist.batch_size=64", MNIST),
        ("problems.mnist.activation=tanh", MNIST),
        ("problems.mnist.train_sample=100", MNIST),
        ("experiments.mnist.steps=250", {"evaluate mnist"}),
        ("experiments.mnist.horizon=90", {"tune nag mnist", "tune adam mnist", "evaluate mnist"}),
        ("experiments.mnist.figure=other", {"draw"}),
        ("experiments.mnist.evaluation.measure_every=5", {"evaluate mnist"}),
        ("experiments.mnist.evaluation.problems=65", {"evaluate mnist"}),
        ("experiments.neural_art.evaluation.pictures=2", {"evaluate art"}),
        ("experiments.mnist.tuning.problems=7", {"tune nag mnist", "tune adam mnist"}),
        ("evaluation.problems=65", {"evaluate mnist"}),
        ("evaluation.measure_every=5", {"evaluate mnist", "evaluate quadratics"}),
        ("tuning.grids.adam.low=0.001", {"tune adam mnist"}),
        ("tuning.problems=7", {"tune nag mnist", "tune adam mnist", "tune nag quadratics"}),
        (
            "tuning.points_per_decade=2",
            {"tune nag mnist", "tune adam mnist", "tune nag quadratics"},
        ),
        (
            "problems.cifar10.test_sample=100",
            {"tune nag cifar", "evaluate cifar", *MEASURED},
        ),
        ("experiments.cifar10.tuning.loss=train_loss", {"tune nag cifar"}),
        (
            "problems.cifar10.train_sample=100",
            {"train cifar", "tune nag cifar", "evaluate cifar", *MEASURED},
        ),
        ("measurements.overhead.repeats=3", {"measure overhead"}),
        ("measurements.updates.coordinates=2", {"measure updates"}),
        ("recipes.cifar.start_from=null", {"train cifar"}),
        # everything that draws numbers
        ("seed=1", set(STAGES) - {"draw"}),
    ],
)
def test_a_change_reaches_the_stages_that_read_it_and_no_other(
    setting: str, stages: set[str]
) -> None:
    assert _changed(setting) == stages


def test_another_optimizer_in_an_experiment_redraws_but_reruns_nothing() -> None:
    assert _changed("experiments.mnist.learned=[mnist_paper, mnist_long_unroll, cifar]") == {"draw"}
    assert _changed("experiments.mnist.baselines=[nag]") == set()


def test_the_order_of_keys_does_not_matter_to_the_digest() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})


def test_different_values_have_different_digests() -> None:
    values: list[dict[str, Any]] = [{"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"}, {"a": [1]}, {}]
    assert len({digest(value) for value in values}) == len(values)


def test_inputs_are_the_same_after_a_round_trip_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(resolved_yaml(load_config("smoke")), encoding="utf-8")
    read, first = load_config(files=[path]), load_config("smoke")
    for stage in STAGES.values():
        assert digest(stage(read)) == digest(stage(first))
