"""config/claims.yaml itself, and the mistakes one can make in it: one line each."""

import re
from pathlib import Path

import pytest
import yaml

from l2l.config import load_config
from l2l.errors import UserError
from l2l.evaluation.claims_file import check_claims, load_claims

CLAIMS = Path(__file__).parents[2] / "config" / "claims.yaml"


def test_the_committed_file_has_all_claims_and_fits_every_protocol():
    claims = load_claims(CLAIMS)
    assert [one.claim for one in claims] == [f"C{number}" for number in range(1, 20)]
    assert all(one.comparisons or one.sizes or one.measured for one in claims)
    for protocol in ("smoke", "default", "paper"):
        experiments = load_config(protocol, folder=CLAIMS.parent).experiments
        check_claims(
            claims,
            {name: (*one.learned, *one.baselines) for name, one in experiments.items()},
            {name: one.steps for name, one in experiments.items()},
        )


def broken(tmp_path, change) -> str:
    """The message for the committed file after `change` of its content."""
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    change(content["claims"])
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        load_claims(path)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_an_unknown_key_names_claim_and_place_and_what_is_allowed(tmp_path):
    assert broken(tmp_path, lambda claims: claims[3].update(experiment="mnist")) == (
        "claim C4: unknown key 'experiment'; allowed are: claim, statement, source, comparisons, "
        "sizes, measured"
    )
    assert broken(tmp_path, lambda claims: claims[1]["comparisons"][0].update(metric=1)).startswith(
        "claim C2: comparisons.0: unknown key 'metric' (did you mean 'metrics'?); allowed are: exp"
    )
    message = broken(
        tmp_path, lambda claims: claims[1]["comparisons"][0]["metrics"][2].update(goal=0.5)
    )
    assert message == (
        "claim C2: comparisons.0.metrics.2: unknown key 'goal'; "
        "allowed are: metric, horizon, target"
    )


def test_a_wrong_metric_lists_the_metrics(tmp_path):
    message = broken(
        tmp_path, lambda claims: claims[0]["comparisons"][0]["metrics"][1].update(metric="end")
    )
    assert message == (
        "claim C1: comparisons.0.metrics.1.metric = 'end': allowed are "
        "'mean_loss', 'final_loss', 'steps_to_target', 'oscillation'"
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"claimed": "better"},
            "claim C1: comparisons.0.claimed = 'better': .*'lower' or 'higher'",
        ),
        ({"learned": []}, r"claim C1: comparisons.0.learned = \[\]: .*at least 1 item"),
        ({"learned": "ours"}, "claim C1: comparisons.0.learned = 'ours': .*valid tuple"),
        ({"baselines": "all"}, "claim C1: comparisons.0.baselines = 'all': .*'tuned'; or: .*tuple"),
        (
            {"metrics": [{"metric": "mean_loss", "horizon": 0}]},
            "claim C1: comparisons.0.metrics.0.horizon = 0: .*greater than or equal to 1",
        ),
        (
            {"metrics": [{"metric": "oscillation", "first_step": 9, "last_step": 10}]},
            "claim C1: comparisons.0.metrics.0: last_step must be at least first_step",
        ),
        (
            {"metrics": [{"metric": "mean_loss"}]},
            "claim C1: comparisons.0.metrics.0.horizon is mis",
        ),
        ({"metrics": [{"horizon": 5}]}, "claim C1: comparisons.0.metrics.0.metric is missing"),
        (
            {"metrics": ["mean_loss"]},
            "claim C1: comparisons.0.metrics.0 = 'mean_loss': expected 'key: value'",
        ),
    ],
)
def test_a_wrong_value_names_claim_key_value_and_what_is_allowed(tmp_path, change, expected):
    message = broken(tmp_path, lambda claims: claims[0]["comparisons"][0].update(change))
    assert re.match(expected, message), message


def test_a_claim_that_stands_there_twice_is_an_error(tmp_path):
    message = broken(tmp_path, lambda claims: claims.append(dict(claims[4])))
    assert message == "claim C5 has two entries; give it one"


@pytest.mark.parametrize("text", ["claims: [", "", "claims: 3", "- 1", "claims: [3]"])
def test_a_file_of_another_shape_is_one_line(tmp_path, text):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"^[^\n]*claims\.yaml[^\n]*$"):
        load_claims(path)
    with pytest.raises(UserError, match="cannot read the claims"):
        load_claims(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"experiment": "minst"}, "C1: experiment = 'minst': there is none; there are: mnist, qua"),
        (
            {"learned": ["lstm"]},
            "C1: learned = 'lstm': there is none; there are: nag, quadratics_l",
        ),
        (
            {"baselines": ["sgd"]},
            "C1: baselines = 'sgd': there is none; there are: nag, quadratics_l",
        ),
        (
            {"metrics": [{"metric": "oscillation", "first_step": 90, "last_step": 101}]},
            "C1: oscillation looks at step 101, experiment quadratics ends at step 100: raise",
        ),
    ],
)
def test_a_claim_about_what_does_not_exist_is_an_error(tmp_path, changes, message):
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    content["claims"] = content["claims"][:1]
    content["claims"][0]["comparisons"][0].update(changes)
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    optimizers = {"quadratics": ["quadratics_lstm", "nag"], "mnist": ["mnist_paper", "nag"]}
    with pytest.raises(UserError, match=f"^claim {message}"):
        check_claims(load_claims(path), optimizers, {"quadratics": 100, "mnist": 200})
