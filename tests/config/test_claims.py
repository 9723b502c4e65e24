"""The claims of the configuration, and the mistakes one can make in them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from l2l.config import load_config
from l2l.config.load import PROTOCOLS
from l2l.errors import UserError


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_can_judge_all_claims_in_their_order(protocol: str) -> None:
    claims = load_config(protocol).claims
    assert [*claims] == [f"C{number}" for number in range(1, 21)]
    assert all(one.comparisons or one.sizes or one.measured for one in claims.values())


def test_every_claim_and_every_experiment_has_one_study() -> None:
    config = load_config()
    for section in ("problems", "recipes", "experiments", "claims"):
        named = [name for study in config.studies.values() for name in getattr(study, section)]
        assert sorted(named) == sorted(getattr(config, section))
    for name, study in config.studies.items():
        assert study.about.endswith("."), name
        figures = {config.experiments[each].figure for each in study.experiments} - {"unroll"}
        assert figures == set(study.figures), name


def test_a_users_claim_needs_no_code_and_gets_a_section() -> None:
    comparisons = load_config().claims["C1"].model_dump(mode="json")["comparisons"]
    mine = {"statement": "It is so.", "source": "me", "comparisons": comparisons}
    config = load_config(overrides={"claims": {"Mine": mine}})
    assert config.claims["Mine"].comparisons == config.claims["C1"].comparisons
    assert config.studies["further"].claims == ("Mine",)
    assert [*config.studies][-1] == "further"
    assert "further" not in load_config().studies
    named = {"studies": {"mine": {"title": "Mine", "claims": ["Mine"]}}, "claims": {"Mine": mine}}
    assert [*load_config(overrides=named).studies][-1] == "mine"


def message(claim: str, **changes: Any) -> str:
    """The message for a claim whose first comparison is changed."""
    first = load_config().claims[claim].comparisons[0].model_dump(mode="json")
    with pytest.raises(UserError) as caught:
        load_config(overrides={"claims": {claim: {"comparisons": [first | changes]}}})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def first(claim: str) -> str:
    return f"^config: claims.{claim}.comparisons.0"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric": 1}, r": unknown key 'metric' \(did you mean 'metrics'\?\); allowed are: exp"),
        ({"claimed": "better"}, ".claimed = 'better': .*'lower' or 'higher'"),
        ({"learned": []}, r".learned = \[\]: .*at least 1 item"),
        ({"learned": "ours"}, ".learned = 'ours': .*valid tuple"),
        ({"baselines": "all"}, ".baselines = 'all': .*'tuned', .*; or: .*tuple"),
        (
            {"metrics": [{"metric": "mean_loss", "horizon": 0}]},
            ".metrics.0.horizon = 0: .*greater than or equal to 1",
        ),
        (
            {"metrics": [{"metric": "oscillation", "first_step": 9, "last_step": 10}]},
            ".metrics.0: last_step must be at least first_step",
        ),
        ({"metrics": [{"metric": "mean_loss"}]}, ".metrics.0.horizon is missing"),
        ({"metrics": [{"horizon": 5}]}, ".metrics.0.metric is missing"),
        (
            {"metrics": [{"metric": "end"}]},
            ".metrics.0.metric = 'end': allowed are 'mean_loss', 'final_loss', 'steps_to_target'",
        ),
        ({"metrics": ["mean_loss"]}, ".metrics.0 = 'mean_loss': .*valid dictionary"),
        ({"experiment": "minst"}, r".experiment = 'minst': .*did you mean 'mnist'"),
        ({"experiment": "architecture"}, ".experiment = 'architecture': it has several problems"),
        ({"learned": ["lstm"]}, ".learned = 'lstm': .*there are: quadratics_lstm, sgd"),
        ({"baselines": "default"}, ".baselines = default: .* has no default_rates"),
        ({"baselines": ["cifar"]}, ".baselines = 'cifar': .*there are: quadratics_lstm, sgd"),
        (
            {"metrics": [{"metric": "oscillation", "first_step": 90, "last_step": 101}]},
            ".metrics.0: oscillation looks at step 101, experiments.quadratics has steps = 100",
        ),
    ],
)
def test_a_mistake_in_a_comparison_names_claim_key_and_what_is_allowed(
    changes: dict[str, Any], expected: str
) -> None:
    said = message("C1", **changes)
    assert re.match(first("C1") + expected, said), said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"table": "sizes"}, r"\.table = 'sizes': .*there are: overhead, updates"),
        ({"value": "second"}, r"\.value = 'second': .*did you mean 'seconds'"),
        ({"value": "timed"}, r"\.value = 'timed': this column does not hold numbers"),
        ({"pair": "round"}, r"\.pair = 'round'"),
        ({"of": {"timed": "lsmt"}}, r"\.of\.timed = 'lsmt': .*there are: mnist_paper"),
    ],
)
def test_a_measured_claim_is_checked_against_the_columns_of_its_table(
    changes: dict[str, Any], expected: str
) -> None:
    measured = load_config().claims["C14"].measured[0].model_dump(mode="json") | changes
    with pytest.raises(UserError, match=rf"^config: claims\.C14\.measured\.0{expected}"):
        load_config(overrides={"claims": {"C14": {"measured": [measured]}}})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"at_least": 2}, r"\.at_least = 2: comparisons on 0 experiments have the role counted"),
        ({"comparisons": [{"role": "counted"}]}, ": some comparisons have the role counted: say"),
    ],
)
def test_what_is_counted_and_how_many_are_needed_fit_together(
    changes: dict[str, Any], said: str
) -> None:
    first = load_config().claims["C1"].comparisons[0].model_dump(mode="json")
    if "comparisons" in changes:
        changes = {"comparisons": [first | changes["comparisons"][0]]}
    with pytest.raises(UserError, match=f"^config: claims.C1{said}"):
        load_config(overrides={"claims": {"C1": changes}})
