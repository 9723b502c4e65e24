"""The part of the configuration on which each stage depends: a change elsewhere does not rerun it.

The workflow gives these to its rules as `params`, and meta-training refuses to resume a state with
other inputs. Labels, figure style, device, threads and folders are in none of the numeric
stages, because results do not depend on them beyond rounding.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from l2l.config.problems import problem_inputs, training_problem_inputs
from l2l.config.schema import Config


def training_inputs(config: Config, recipe: str) -> dict[str, Any]:
    """What a full meta-training depends on, besides the chosen meta learning rate."""
    settings = config.recipes[recipe].model_dump(
        mode="json", exclude={"label", "origin", "attempts", "step_backs", "meta_seeds"}
    )
    rate = settings.pop("meta_learning_rate")
    settings["schedule"] = {key: rate[key] for key in ("schedule", "final_fraction")}
    start = settings["start_from"]
    loss = settings["validation"]["loss"]
    if loss == "train_loss":  # as it was when the released optimizers were validated
        del settings["validation"]["loss"]
    held_out = loss == "test_loss"
    (validated_on,) = _judged_inputs(config, [config.recipes[recipe].validated_on], held_out)
    return {
        "seed": config.seed,
        "recipe": settings,
        "problem": training_problem_inputs(config.problems, settings["problem"]),
        "validated_on": validated_on,
        "start": training_inputs(config, start) if start else None,
    }


def trial_inputs(config: Config, recipe: str) -> dict[str, Any]:
    """What a trial of the meta learning rate depends on."""
    inputs = training_inputs(config, recipe)
    rate = config.recipes[recipe].meta_learning_rate
    inputs["trial"] = [rate.low, rate.high, rate.episodes]
    return inputs


def tuning_inputs(config: Config, experiment: str, baseline: str) -> dict[str, Any]:
    """What the tuning of a baseline depends on."""
    settings = config.experiments[experiment]
    tuning = settings.tuning.model_dump(mode="json", exclude={"origin"})
    grid = tuning.pop("grids")[baseline]
    return {
        "seed": config.seed,
        "horizon": settings.horizon,
        "problems": _judged_inputs(config, settings.problems, settings.tuned_on_held_out),
        "tuning": tuning,
        "grid": grid,
    }


def _judged_inputs(config: Config, problems: Iterable[str], held_out: bool) -> list[dict[str, Any]]:
    """What a choice by losses depends on: on held-out data only if these losses are."""
    inputs = problem_inputs if held_out else training_problem_inputs
    return [inputs(config.problems, problem) for problem in problems]


def evaluation_inputs(config: Config, experiment: str) -> dict[str, Any]:
    """What the test of one optimizer depends on, besides the optimizer."""
    settings = config.experiments[experiment]
    # The batch changes no result, and neither do pictures if none are kept.
    evaluation = settings.evaluation.model_dump(mode="json", exclude={"batch"})
    if not settings.evaluation.pictures:
        del evaluation["pictures"]
    untuned = {"default_rates": settings.default_rates} if settings.default_rates else {}
    return {
        "seed": config.seed,
        "steps": settings.steps,
        "horizon": settings.horizon,
        "rates_of": settings.rates_of,
        **untuned,
        "problems": [problem_inputs(config.problems, problem) for problem in settings.problems],
        "evaluation": evaluation,
    }


def measurement_inputs(config: Config, name: str) -> dict[str, Any]:
    """What a table of `measurements` depends on, besides trained optimizers and tunings."""
    return {"seed": config.seed, **config.measurements.each()[name].inputs(config)}


def claim_inputs(config: Config) -> dict[str, Any]:
    """What the verdicts depend on, besides curves and measurements."""
    return {
        key: claim.model_dump(mode="json", exclude={"statement", "brief", "source"})
        for key, claim in config.claims.items()
    }


def drawing_inputs(config: Config) -> dict[str, Any]:
    """What figures, reports and the page show beyond their tables."""
    measured = [settings.shown() for settings in config.measurements.each().values()]
    return {
        "figures": config.figures.model_dump(mode="json"),
        "labels": config.labels(),
        **{key: value for shown in measured for key, value in shown.items()},
        "experiments": {
            name: entry.model_dump(
                mode="json", include={"title", "figure", "shown", "reference", "learned"}
            )
            for name, entry in config.experiments.items()
        },
    }


def digest(inputs: dict[str, Any]) -> str:
    """A short name for the inputs: equal inputs, equal names."""
    text = json.dumps(inputs, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
