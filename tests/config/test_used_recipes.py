"""Which recipes a configuration meta-trains, and which of them are main ones."""

from __future__ import annotations

from typing import Any

import pytest

from l2l.config import Config, load_config
from l2l.config.inputs import drawing_inputs
from l2l.config.load import PROTOCOLS
from l2l.figures.base import figures


def changed(**sections: Any) -> Config:
    """The default with experiments left out and others laid on it."""
    config = load_config().model_dump(mode="json") | {"claims": {}, "studies": {}}
    return Config.model_validate(config | sections)


def experiment(config: Config, learned: list[str], reference: str | None = None) -> dict[str, Any]:
    own = {"learned": learned, "reference": reference, "figure": f"of_{learned[0]}"}
    return config.experiments["mnist"].model_dump(mode="json") | own


def measurements(updates: dict[str, list[str]], recipe: str | None = None) -> dict[str, Any]:
    found = load_config().measurements.model_dump(mode="json")
    found["updates"]["experiments"] = updates
    stage = {"title": "only", "recipe": recipe, "problem": "quadratic", "problems": 2}
    found["meta_gradients"]["stages"] = {"only": stage}
    if recipe is None:
        found["meta_gradients"] = None
    found["landscape"] = found["step_size"] = None
    return found


def used(experiments: dict[str, list[str]], measured: dict[str, Any]) -> list[str]:
    base = load_config()
    own = {name: experiment(base, learned) for name, learned in experiments.items()}
    return changed(experiments=own, measurements=measured).used_recipes()


def test_used_are_those_of_experiments_in_the_order_of_the_configuration() -> None:
    tried = {"mnist": ["mnist_base", "quadratics_lstm"], "other": ["mnist_base", "mnist_paper"]}
    assert used(tried, measurements({})) == ["quadratics_lstm", "mnist_paper", "mnist_base"]


def test_used_is_what_another_one_goes_on_from() -> None:
    assert used({"mnist": ["cifar"]}, measurements({})) == ["mnist_long_unroll", "cifar"]
    config = load_config(settings=["recipes.cifar2_sub.start_from=cifar"])
    changes = {"experiments": {"mnist": experiment(config, ["cifar2_sub"])}}
    changes |= {"recipes": config.model_dump(mode="json")["recipes"]}
    found = changed(**changes, measurements=measurements({})).used_recipes()
    assert found == ["mnist_long_unroll", "cifar", "cifar2_sub"]


def test_used_are_those_whose_updates_or_trained_weights_are_measured() -> None:
    tried = {"mnist": ["mnist_base"]}
    assert used(tried, measurements({"mnist": ["mnist_rnn"]})) == ["mnist_base", "mnist_rnn"]
    measured = measurements({}, "quadratics_lstm")
    assert used(tried, measured) == ["quadratics_lstm", "mnist_base"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_recipe_of_the_default_is_used_and_smoke_leaves_some_out(protocol: str) -> None:
    config = load_config(protocol)
    left_out = set(config.recipes) - set(config.used_recipes())
    assert ("quadratics_es" in left_out) == (protocol == "smoke")
    assert protocol == "smoke" or not left_out


def test_main_recipes_are_not_compared_as_variants_alone() -> None:
    base = load_config()
    config = changed(
        experiments={
            "variants": experiment(base, ["mnist_base", "mnist_rnn", "mnist_paper"], "mnist_base"),
            "mnist": experiment(base, ["mnist_paper", "quadratics_lstm"]),
        },
        measurements=measurements({}),
    )
    assert config.main_recipes() == ["quadratics_lstm", "mnist_paper"]
    assert config.used_recipes() == ["quadratics_lstm", "mnist_paper", "mnist_base", "mnist_rnn"]


def test_a_configuration_may_be_without_a_measurement_and_its_figure() -> None:
    config = load_config(settings=["measurements.updates=null"])
    assert [*config.measurements.each()] == ["overhead", "meta_gradients", "landscape", "step_size"]
    assert figures(load_config()).keys() - figures(config).keys() == {"updates"}
    assert drawing_inputs(config) == drawing_inputs(load_config())
