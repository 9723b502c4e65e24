"""Every bad value is one line with the key, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from l2l.config import load_config
from l2l.errors import UserError

RECIPE = "recipes.mnist_paper"


def _message(**layers: Any) -> str:
    with pytest.raises(UserError) as caught:
        load_config(**layers)
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        # unknown keys, with the nearest known one and all that are allowed
        ("sed=3", ["'sed'", "did you mean 'seed'", "meta_seeds"]),
        ("evaluation.problem=8", ["evaluation", "'problem'", "'problems'", "batch"]),
        (f"{RECIPE}.optimizer.unit=3", [f"{RECIPE}.optimizer", "'unit'", "units", "layers"]),
        ("problems.quadratic.hidden=[3]", ["problems.quadratic", "'hidden'", "dimensions"]),
        (f"{RECIPE}.unroll=[{{start: 0, windw: 9}}]", [f"{RECIPE}.unroll.0", "windw", "window"]),
        # more than there are
        (
            "experiments.neural_art.evaluation.problems=101",
            ["config: experiments.neural_art.evaluation.problems = 101: ", "only 100"],
        ),
        (
            "experiments.neural_art.tuning.problems=21",
            ["experiments.neural_art.tuning.problems", "21", "only 20"],
        ),
        ("recipes.neural_art.validation.problems=21", ["recipes.neural_art", "21", "only 20"]),
        (
            "experiments.neural_art.evaluation.pictures=5",
            ["evaluation: pictures = 5 ", "problems and batch"],
        ),
        # wrong types and out of range (test_generated.py has the others)
        ("evaluation.problems=2.5", ["evaluation.problems", "2.5", "integer"]),
        ("recipes=[1]", ["recipes", "[1]", "dictionary"]),
        (f"seed={2**63}", ["seed", str(2**63), "less than"]),
        # not one of the choices
        ("problems.mnist.activation=step", ["activation", "'step'", "sigmoid", "tanh", "relu"]),
        ("problems.mnist.kind=cnn", ["problems.mnist", "cnn", "quadratic", "mlp"]),
        ("compute.devices={trian: cpu}", ["compute.devices.trian", "'trian'", "train", "tune"]),
        ("experiments.mnist.baselines=[lion]", ["baselines.0", "'lion'", "nag"]),
        ("protocol=huge", ["protocol", "'huge'", "smoke", "default", "paper"]),
        # names of things that are not there, and names that cannot be file names
        ("experiments.mnist.learned=[nobody]", ["mnist.learned", "'nobody'", "mnist_paper"]),
        ("experiments.mnist.learned=[mnist_papr]", ["did you mean 'mnist_paper'"]),
        ("experiments.mnist.problems=[cifar]", ["mnist.problems", "'cifar'", "quadratic"]),
        (
            "experiments.mnist.problems=[Bad/Name]",
            ["experiments.mnist.problems.0", "Bad/Name", "pattern"],
        ),
        # variants and mixtures
        (
            "experiments.ablations_mnist.reference=mnist_paper",
            ["experiments.ablations_mnist", "reference = 'mnist_paper'", "learned: mnist_base, "],
        ),
        ("experiments.plateau.figure=mnist", ["'mnist'", "have a reference and others not"]),
        (
            "problems.outer={kind: mixture, of: [mnist, small_problems], scale: {low: 1, high: 2}}",
            ["problems.outer.of", "'small_problems' is a mixture itself"],
        ),
        (
            "experiments.hierarchical_mnist.problems=[mnist, small_problems]",
            ["experiments.hierarchical_mnist.problems", "'small_problems' is a mixture"],
        ),
        (
            "recipes.hierarchical.validation.problem=null",
            ["recipes.hierarchical.validation.problem", "a mixture is not validated on"],
        ),
        # what cannot be sampled
        (
            "recipes.mnist_averaging.sampling.fraction=0.5",
            [
                "recipes.mnist_averaging",
                "sampling.fraction = 0.5",
                "lstm and averaged_cells",
                "set it to 1",
            ],
        ),
        (
            f"{RECIPE}.optimizer.averaged_cells=3",
            [RECIPE, "sampling.fraction = 0.1", "lstm and averaged_cells"],
        ),
        (
            "recipes.quadratics_es.sampling.fraction=0.5",
            ["recipes.quadratics_es", "sampling.fraction = 0.5", "estimator.kind = es"],
        ),
        (
            "recipes.mnist_averaging.optimizer.averaged_cells=21",
            ["mnist_averaging.optimizer", "averaged_cells = 21", "units = 20"],
        ),
        # names in measurements
        ("measurements.overhead.recipes=[nobody]", ["overhead.recipes = 'nobody'", "mnist_paper"]),
        (
            "measurements.overhead.baselines=[lion]",
            ["overhead.baselines.0 = 'lion'", "'adamw' or 'nag'"],
        ),
        (
            "measurements.overhead.problems.cifar=CIFAR",
            ["measurements.overhead.problems = 'cifar'", "cifar10"],
        ),
        (
            "measurements.updates.experiments.tried=[mnist_paper]",
            ["measurements.updates.experiments = 'tried'", "quadratics, mnist"],
        ),
        (
            "measurements.updates.experiments.mnist=[mnist_paper, nobody]",
            ["measurements.updates.experiments.mnist = 'nobody'", "mnist_paper"],
        ),
        (
            "measurements.meta_gradients.stages.short.problem=cifar",
            ["meta_gradients.stages.short.problem = 'cifar'", "mnist"],
        ),
        (
            "measurements.meta_gradients.stages.short.recipe=nobody",
            ["measurements.meta_gradients.stages.short.recipe = 'nobody'", "quadratics_base"],
        ),
        (
            "measurements.meta_gradients.windows=[20, 30]",
            ["config: measurements.meta_gradients: windows", "30 does not divide steps = 100"],
        ),
        # twice
        (
            "experiments.mnist.learned=[mnist_paper, cifar, mnist_paper]",
            ["experiments.mnist: 'mnist_paper' stands twice in mnist_paper, cifar, mnist_paper"],
        ),
        ("experiments.mnist.baselines=[adam, nag, nag]", ["'nag' stands twice in adam, nag, nag"]),
        # missing and contradictory
        ("problems.new.kind=quadratic", ["problems.new.dimensions", "missing"]),
        (f"{RECIPE}.unroll=[{{start: 0.5, window: 9}}]", [RECIPE, "the first must be 0"]),
        (f"{RECIPE}.loss_weights=[1, 2]", [RECIPE, "loss_weights", "2 numbers", "steps is 100"]),
        ("experiments.mnist.horizon=500", ["experiments.mnist", "horizon", "steps"]),
        (f"{RECIPE}.meta_learning_rate.episodes=9999", [RECIPE, "meta_learning_rate.episodes"]),
        (f"{RECIPE}.meta_learning_rate.low=1", [f"{RECIPE}.meta_learning_rate", "low", "high"]),
        # values of several kinds, and a range upside down
        (f"{RECIPE}.clip=-1", [f"{RECIPE}.clip", "-1", "greater than 0"]),
        (f"{RECIPE}.loss_weights=[1, a]", [f"{RECIPE}.loss_weights", "'a'", "number"]),
        ("tuning.grids.sgd={low: 1, high: 0.1}", ["tuning.grids.sgd: low = 1.0 is above high"]),
        # data sets, and the study of a claim
        ("problems.mnist.dataset=cifar", ["problems.mnist.dataset", "did you mean 'cifar10'"]),
        ("studies.mnist.claims=[C99]", ["studies.mnist.claims = 'C99'", "C1, C2"]),
        # not settings at all
        ("seed", ["'seed'", "key=value"]),
        ("=3", ["'=3'", "key=value"]),
        ("a..b=3", ["'a..b=3'", "key=value"]),
        ("seed=[", ["'seed=['", "not valid YAML"]),
    ],
)
def test_a_bad_setting_is_one_line_that_says_it_all(setting: str, named: list[str]) -> None:
    message = _message(settings=[setting])
    for part in named:
        assert part in message


@pytest.mark.parametrize("key", ["seed", "evaluation.problems", f"{RECIPE}.clip"])
def test_true_and_false_are_not_numbers(key: str) -> None:
    section, _, name = key.rpartition(".")
    message = _message(settings=[f"{key}=true"])
    assert section in message
    assert f"{name} = true" in message


def test_names_of_entries_can_be_file_names() -> None:
    entry = {"kind": "quadratic", "dimensions": 3, "init_std": 1}
    message = _message(overrides={"problems": {"Bad/Name": entry}})
    assert "problems.Bad/Name" in message
    assert "pattern" in message


def test_several_errors_are_counted_once_and_long_values_cut() -> None:
    message = _message(settings=["seed=-1", "evaluation.problems=0", "figures.dpi=1"])
    assert "; 2 more mistakes" in message
    assert "more mistakes" not in _message(settings=["problems.mnist.batch_size=0"])
    assert len(_message(overrides={"seed": "x" * 5000})) < 300


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("evaluation: {problems: none}", "evaluation.problems = 'none'"),
        ("seed: 1\nfigures: {}\nseed: 2\n", "'seed' stands twice, in lines 1 and 3"),
        ("tuning: {problems: 1, problems: 2}", "'problems' stands twice"),
        ("seed: [1", "mine.yaml is not valid YAML"),
        ("seed:\t1\n\tmeta_seeds: 2\n", "mine.yaml is not valid YAML"),
        ("- seed\n- 1\n", "mine.yaml: expected 'key: value' lines, found list"),
        ("just words", "found str"),
        (f"seed: {'9' * 5000}", "digits"),
        ("seed: 2020-13-45", "month must be in 1..12"),
        ("seed: &a [*a]", "config: seed = [[...]]: "),
        ("seed: !!python/object:os.system 1", "could not determine a constructor"),
        ("? [1]\n: 2", "unhashable key"),
        ("seed: \x01", "mine.yaml is not valid YAML"),
    ],
)
def test_what_is_hardly_yaml_is_one_line(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    assert said in _message(files=[path])


def test_what_is_not_a_text_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert str(path) in _message(files=[path])
    assert str(tmp_path) in _message(files=[tmp_path])
    path.write_bytes(b"seed: \xff\xfe")
    assert f"{path} is not UTF-8 text" in _message(files=[path])


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# nothing yet\n")
    assert load_config(files=[path]) == load_config()
