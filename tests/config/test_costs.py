"""Which trainings and tests share a job."""

from __future__ import annotations

import itertools

import pytest

from l2l.config import load_config
from l2l.config.costs import test_groups as groups_of_tests
from l2l.config.costs import test_seconds as seconds_of_tests
from l2l.config.costs import training_groups, training_seconds


@pytest.mark.parametrize("protocol", ["smoke", "default", "paper"])
@pytest.mark.parametrize("shortest", [0, 10, 60, 1e9])
def test_groups_are_of_one_study_and_no_longer_than_they_may_be(
    protocol: str, shortest: float
) -> None:
    config = load_config(protocol)
    for groups, seconds, kind in (
        (training_groups(config, shortest), training_seconds, "recipes"),
        (groups_of_tests(config, shortest), seconds_of_tests, "experiments"),
    ):
        grouped = list(itertools.chain(*groups.values()))
        assert len(grouped) == len(set(grouped))
        for group, names in groups.items():
            assert sum(seconds(config, name) for name in names) <= shortest
            study = max((s for s in config.studies if group.startswith(s)), key=len)
            assert {*names} <= {*getattr(config.studies[study], kind)}
        wanted = {*config.experiments}
        if kind == "recipes":
            used = config.used_recipes()
            wanted = {name for name in used if config.recipes[name].origin == "trained"}
        alone = wanted - {*grouped}
        assert all(seconds(config, name) > shortest for name in alone)


def test_recipes_that_share_a_job_start_from_none_of_it() -> None:
    config = load_config()
    for names in training_groups(config, 1e9).values():
        assert not {config.recipes[name].start_from for name in names} & {*names}


def test_more_work_costs_more() -> None:
    for setting in ("recipes.mnist_paper.episodes=5000", "recipes.mnist_paper.meta_seeds=9"):
        more = training_seconds(load_config(settings=[setting]), "mnist_paper")
        assert more > training_seconds(load_config(), "mnist_paper")
    for setting in ("experiments.mnist.evaluation.problems=999", "experiments.mnist.steps=400"):
        assert seconds_of_tests(load_config(settings=[setting]), "mnist") > seconds_of_tests(
            load_config(), "mnist"
        )
