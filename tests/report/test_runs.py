"""Tables of settings, meta-trainings and trials."""

import pandas as pd

from l2l.config import Config
from l2l.report import runs
from l2l.results import Results


def test_settings_are_split_into_what_differs_and_what_does_not(config: Config):
    recipes = {name: config.recipes[name] for name in ("mnist_paper", "mnist_long_unroll")}
    different, same = (table.frame.set_index("key") for table in runs.settings("Recipes", recipes))
    assert different.loc["optimizer.p", "mnist_long_unroll"] == "6.0"
    assert different.loc["unroll.1.window", "mnist_paper"] is None, "it has one window only"
    assert same.loc["optimizer.units", "value"] == "20"
    assert "start_from" in same.index
    assert same["meaning"].str.len().min() > 0
    assert not {*different.index} & {*same.index}


def test_the_settings_of_one_thing_are_one_table(config: Config):
    (table,) = runs.settings("Problem", {"mnist": config.problems["mnist"]})
    values = table.frame.set_index("key")["value"]
    assert values["hidden"] == "20"
    assert values["kind"] == "mlp"


def test_meta_trainings_tell_attempts_collapses_and_the_best(results: Results, config: Config):
    first, second = runs.meta_trainings(results.runs(), config).frame.to_dict("records")[:2]
    assert (first["attempts"], first["selected"], first["collapsed"]) == (1, "✔ best", "none")
    assert (second["attempts"], second["selected"]) == (2, "")
    assert second["collapsed"] == "stuck at loss 2.3"


def test_the_meta_trainings_of_some_recipes_are_those_of_the_whole_table(results: Results):
    table = results.runs()
    some = results.meta_trainings(["mnist_paper", "cifar"])
    wanted = table[table["recipe"].isin(["mnist_paper", "cifar"])]
    wanted = wanted.sort_values(["recipe", "meta_seed"]).reset_index(drop=True)
    some = some.sort_values(["recipe", "meta_seed"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(some, wanted, check_dtype=False)


def test_failed_trials_are_named_so(results: Results):
    table = runs.trials(results.search("mnist_paper"), "Trials")
    assert table.frame["chosen"].tolist() == ["", "✔"]
    failed, chosen = table.markdown().splitlines()[2:]
    assert "| failed |" in failed
    assert "| 0.500 | ✔ |" in chosen
