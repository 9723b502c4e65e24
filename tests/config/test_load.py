"""Where values come from, and which of them wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from l2l.config import changes, load_config, resolved_yaml
from l2l.config.load import PROTOCOLS, config_folder, merge
from l2l.errors import UserError


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("protocol", ["smoke", "paper"])
def test_every_protocol_loads_with_all_it_overrides(protocol: str) -> None:
    resolved = load_config(protocol).model_dump(mode="json")
    assert resolved["protocol"] == protocol
    _assert_holds(resolved, yaml.safe_load((config_folder() / f"{protocol}.yaml").read_text()))


def test_an_overlay_changes_nothing_but_what_it_names() -> None:
    trained = load_config(settings=["optimizers=trained"])
    default = dict(_leaves(trained.model_dump(mode="json")))
    for protocol in ("smoke", "paper"):
        named = yaml.safe_load((config_folder() / f"{protocol}.yaml").read_text())
        resolved = load_config(protocol).model_dump(mode="json")
        keys = {key for key, _ in _leaves(named)}
        changed = {
            key
            for key, value in _leaves(resolved)
            if default.get(key) != value and (key in default or key in keys)
        }
        inherited = {_without_entry(key) for key in keys}  # `like`, and the common values
        assert {key for key in changed if _without_entry(key) not in inherited} == {"protocol"}


def test_protocols_grow_from_smoke_to_paper() -> None:
    smoke, default, paper = map(load_config, PROTOCOLS)
    for name in default.recipes:
        sizes = [config.recipes[name].episodes for config in (smoke, default, paper)]
        assert sizes == sorted(sizes)
    problems = [config.evaluation.problems for config in (smoke, default, paper)]
    assert problems == sorted(problems)
    assert default.evaluation.problems >= 48
    assert default.meta_seeds >= 3


def test_later_layers_win_default_protocol_files_overrides_settings(tmp_path: Path) -> None:
    key = "evaluation: {problems: %d}"
    one = _write(tmp_path / "one.yaml", key % 11)
    two = _write(tmp_path / "two.yaml", key % 12)

    def problems(**layers: Any) -> int:
        return load_config(**layers).evaluation.problems

    assert problems() == 48
    assert problems(protocol="smoke") == 2
    assert problems(protocol="smoke", files=[one]) == 11
    assert problems(protocol="smoke", files=[one, two]) == 12
    overrides = {"evaluation": {"problems": 13}}
    assert problems(protocol="smoke", files=[one, two], overrides=overrides) == 13
    settings = ["evaluation.problems=14", "evaluation.problems=15"]
    assert problems(protocol="smoke", files=[one], overrides=overrides, settings=settings) == 15


def test_the_protocol_may_be_named_by_any_layer_and_the_argument_wins(tmp_path: Path) -> None:
    named = _write(tmp_path / "mine.yaml", "protocol: smoke")
    assert load_config(files=[named]).evaluation.problems == 2
    assert load_config(overrides={"protocol": "smoke"}).evaluation.problems == 2
    assert load_config(settings=["protocol=paper"], files=[named]).evaluation.problems == 256
    config = load_config("default", files=[named])
    assert config.protocol == "default"
    assert config.evaluation.problems == 48


def test_a_users_file_keeps_the_siblings_of_what_it_changes(tmp_path: Path) -> None:
    text = "recipes: {mnist_paper: {optimizer: {units: 7}}}"
    config = load_config(files=[_write(tmp_path / "mine.yaml", text)])
    assert config.recipes["mnist_paper"].optimizer.units == 7
    default = load_config()
    assert config.recipes["mnist_paper"].optimizer.p == default.recipes["mnist_paper"].optimizer.p
    assert config.recipes["mnist_long_unroll"] == default.recipes["mnist_long_unroll"]


def test_lists_are_replaced_not_joined() -> None:
    config = load_config(settings=["recipes.mnist_long_unroll.unroll=[{start: 0, window: 9}]"])
    assert [stage.window for stage in config.recipes["mnist_long_unroll"].unroll] == [9]


def test_merging_changes_neither_mapping() -> None:
    base, over = {"a": {"b": 1, "c": [1]}}, {"a": {"b": 2}, "d": 3}
    assert merge(base, over) == {"a": {"b": 2, "c": [1]}, "d": 3}
    assert base == {"a": {"b": 1, "c": [1]}}
    assert over == {"a": {"b": 2}, "d": 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("1E-3", 1e-3), ("1.0e-3", 1e-3), ("0.001", 1e-3), (".001", 1e-3), ("2", 2.0)],
)
def test_numbers_may_be_written_in_any_usual_way(tmp_path: Path, text: str, value: float) -> None:
    key = "recipes.mnist_paper.inverse_offset"
    assert load_config(settings=[f"{key}={text}"]).recipes["mnist_paper"].inverse_offset == value
    nested = f"recipes: {{mnist_paper: {{clip: {text}, inverse_offset: {text}}}}}"
    recipe = load_config(files=[_write(tmp_path / "a.yaml", nested)]).recipes["mnist_paper"]
    assert recipe.inverse_offset == value
    assert recipe.clip == value
    assert isinstance(recipe.clip, float)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_resolved_configuration_is_read_back_as_it_was(tmp_path: Path, protocol: str) -> None:
    settings = [
        "recipes.mnist_paper.clip=1e-8",
        "recipes.mnist_paper.optimizer.p=0.1",
        "recipes.mnist_paper.label=Ein Größenwahn",
        "data.directory=some/where",
        f"recipes.quadratics_lstm.loss_weights={[1 / 3] * 100}",
    ]
    config = load_config(protocol, settings=settings)
    path = tmp_path / "config.yaml"
    path.write_text(resolved_yaml(config), encoding="utf-8")
    assert load_config(files=[path]) == config
    assert resolved_yaml(load_config(files=[path])) == resolved_yaml(config)


def test_a_new_problem_recipe_and_experiment_need_no_code(tmp_path: Path) -> None:
    recipe = load_config().recipes["quadratics_lstm"].model_dump(mode="json")
    overrides = {
        "problems": {"wide": {"kind": "quadratic", "dimensions": 30, "init_std": 0.1}},
        "recipes": {"mine": recipe | {"problem": "wide", "label": "Mine"}},
        "experiments": {
            "wide": {
                "title": "Wide",
                "figure": "wide",
                "problems": ["wide"],
                "steps": 10,
                "horizon": 10,
                "shown": "loss",
                "learned": ["mine"],
                "baselines": ["nag"],
            }
        },
    }
    config = load_config(overrides=overrides)
    assert config.labels()["mine"] == "Mine"
    assert config.problems["wide"].kind == "quadratic"


def test_a_configuration_cannot_be_changed_after_loading() -> None:
    config = load_config()
    with pytest.raises(ValueError, match="frozen"):
        config.evaluation.problems = 3  # type: ignore[misc]


def test_the_working_directory_is_never_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    _write(tmp_path / "config" / "default.yaml", "seed: 7")
    monkeypatch.chdir(tmp_path)
    assert load_config().seed == 0


def test_the_entries_of_one_study_are_printed_complete() -> None:
    content = yaml.safe_load(resolved_yaml(load_config(), "cifar"))
    assert [*content["experiments"]] == ["cifar10", "cifar5", "cifar2"]
    assert "quadratics_lstm" not in content["recipes"]
    whole = yaml.safe_load(resolved_yaml(load_config()))
    assert content["recipes"]["cifar5_sub"] == whole["recipes"]["cifar5_sub"]


def _leaves(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, value in tree.items():
        inner = _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else []
        found += inner or [(prefix + str(key), value)]
    return found


def _assert_holds(tree: dict[str, Any], part: dict[str, Any]) -> None:
    have = dict(_leaves(tree))
    for key, value in _leaves(part):
        if isinstance(value, list) and value and isinstance(value[0], dict):  # has more keys
            assert [whole | own for whole, own in zip(have[key], value, strict=True)] == have[key]
        elif not key.endswith(".like"):
            assert have[key] == value, key


def _without_entry(key: str) -> str:
    """ "experiments.mnist.tuning.problems" and "tuning.problems" are the same value's names."""
    section, _, rest = key.partition(".")
    if section not in ("problems", "recipes", "experiments"):
        return key
    _, _, rest = rest.partition(".")
    common = rest.startswith(("tuning.", "evaluation.")) or rest == "meta_seeds"
    return rest if common else f"{section}.{rest}"


def test_what_is_released_is_of_the_default_protocol() -> None:
    with pytest.raises(UserError, match=r"optimizers = released: .* default, not paper"):
        load_config("paper", settings=["optimizers=released"])


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
    config = load_config(settings=["evaluation.problems=7", "tuning.max_widenings=2"])
    assert config.experiments["mnist"].evaluation.problems == 7
    assert config.experiments["architecture"].evaluation.problems == 5
    assert config.experiments["architecture"].tuning.max_widenings == 2
    own = load_config(settings=["experiments.mnist.evaluation.problems=6"])
    assert own.experiments["mnist"].evaluation.problems == 6
    assert own.experiments["plateau"].evaluation.batch == own.evaluation.batch


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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_changes_of_a_configuration_give_it_back_and_are_few(protocol: str) -> None:
    assert set(changes(load_config(protocol))) == {"protocol", "optimizers"}
    config = load_config(protocol, settings=["figures.dpi=99", "problems.mnist.hidden=[7]"])
    least = changes(config)
    assert least["figures"] == {"dpi": 99}
    assert load_config(overrides=least) == config


def test_changes_are_all_of_it_where_an_entry_leaves_the_one_it_is_like() -> None:
    usual = load_config().recipes["cifar_shared"].episodes
    apart = [f"recipes.cifar_shared.episodes={usual}", f"recipes.cifar.episodes={usual + 1}"]
    config = load_config(settings=apart)
    assert load_config(overrides=changes(config)) == config
    assert config.recipes["cifar_shared"].episodes == usual
