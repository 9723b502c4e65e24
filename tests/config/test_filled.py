"""`like`, and the values that experiments and recipes have in common."""

from __future__ import annotations

import pytest

from l2l.config import load_config
from l2l.errors import UserError


def test_an_entry_is_laid_on_the_one_it_is_like() -> None:
    overrides = {
        "problems": {"mine": {"like": "mnist", "hidden": [80]}},
        "experiments": {"mine": {"like": "mnist_40_units", "title": "80", "problems": ["mine"]}},
    }
    config = load_config(overrides=overrides)
    mine, base = (config.problems[name].model_dump() for name in ("mine", "mnist"))
    assert mine.pop("hidden") == (80,)
    assert base.pop("hidden") == (20,)
    assert mine == base
    assert config.experiments["mine"].figure == "mnist_transfer"
    assert config.experiments["mine"].learned == config.experiments["mnist"].learned


def test_like_follows_what_a_later_layer_changes_in_the_other_entry() -> None:
    settings = ["problems.mnist.batch_size=7", "recipes.mnist_long_unroll.optimizer.units=3"]
    config = load_config(settings=settings)
    assert config.problems["mnist_relu"].batch_size == 7
    assert config.recipes["cifar5_sub"].optimizer.units == 3
    assert load_config("smoke").problems["mnist_tanh"].train_sample == 500


def test_a_chain_of_three_takes_the_nearest_value() -> None:
    overrides = {
        "problems": {
            "a": {"like": "mnist", "hidden": [1], "batch_size": 1},
            "b": {"like": "a", "hidden": [2], "activation": "relu"},
            "c": {"like": "b", "activation": "tanh"},
        }
    }
    c = load_config(overrides=overrides).problems["c"]
    assert (c.hidden, c.batch_size, c.activation) == ((2,), 1, "tanh")


@pytest.mark.parametrize("value", ["nobody", 3, ["mnist"], None])
def test_like_nothing_is_an_error_that_lists_what_there_is(value: object) -> None:
    with pytest.raises(UserError, match=r"problems\.a\.like = .*mnist") as caught:
        load_config(overrides={"problems": {"a": {"like": value}}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "entries", [{"a": {"like": "a"}}, {"a": {"like": "b"}, "b": {"like": "c"}, "c": {"like": "a"}}]
)
def test_a_circle_is_an_error(entries: dict[str, dict[str, str]]) -> None:
    with pytest.raises(UserError, match="circle"):
        load_config(overrides={"problems": entries})


def test_experiments_share_tuning_and_evaluation_but_for_what_they_say() -> None:
    config = load_config(settings=["evaluation.problems=5", "tuning.max_widenings=2"])
    assert config.experiments["mnist"].evaluation.problems == 5
    assert config.experiments["architecture"].evaluation.problems == 8
    assert config.experiments["architecture"].tuning.max_widenings == 2
    own = load_config(settings=["experiments.mnist.evaluation.problems=6"])
    assert own.experiments["mnist"].evaluation.problems == 6
    assert own.experiments["quadratics"].evaluation.problems == own.evaluation.problems


def test_recipes_share_the_number_of_meta_seeds_but_for_what_they_say() -> None:
    config = load_config(settings=["meta_seeds=4"])
    assert config.recipes["mnist_paper"].meta_seeds == 4
    own = load_config(settings=["meta_seeds=4", "recipes.mnist_paper.meta_seeds=2"])
    assert own.recipes["mnist_paper"].meta_seeds == 2
    assert own.recipes["quadratics_lstm"].meta_seeds == 4


def test_a_recipe_cannot_start_from_one_with_fewer_meta_seeds_or_from_itself() -> None:
    start = "recipes.mnist_paper.start_from"
    config = load_config(settings=[f"{start}=mnist_long_unroll"])
    assert config.recipes["mnist_paper"].start_from == "mnist_long_unroll"
    with pytest.raises(UserError, match="circle"):
        load_config(settings=[f"{start}=mnist_paper"])
    with pytest.raises(UserError, match="no such entry"):
        load_config(settings=[f"{start}=nobody"])
    few = ["recipes.mnist_long_unroll.meta_seeds=1"]
    with pytest.raises(UserError, match=r"mnist_long_unroll.*only 1"):
        load_config(settings=[f"{start}=mnist_long_unroll", *few])


def test_a_figure_with_several_networks_is_not_shared() -> None:
    overrides = {"experiments": {"deep": {"like": "architecture", "title": "Deep"}}}
    with pytest.raises(UserError, match=r"several problems: give it a figure of its own"):
        load_config(overrides=overrides)


def test_held_out_losses_are_not_shown_where_there_are_no_held_out_data() -> None:
    with pytest.raises(UserError, match=r"experiments\.mnist\.shown = test_loss"):
        load_config(settings=["experiments.mnist.shown=test_loss"])
