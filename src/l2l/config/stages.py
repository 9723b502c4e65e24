"""Which part of the configuration each stage depends on: a change elsewhere does not rerun it.

The workflow gives these to its rules as `params`, and meta-training refuses to resume a state that
was made under others. Labels, figure style, device, threads and folders are in none of the numeric
stages, because results do not depend on them beyond rounding.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from l2l.config.measurements import cost_settings
from l2l.config.schema import Config


def training_inputs(config: Config, recipe: str) -> dict[str, Any]:
    """What a full meta-training depends on, besides the chosen meta learning rate."""
    settings = config.recipes[recipe].model_dump(
        mode="json", exclude={"label", "attempts", "step_backs", "meta_seeds"}
    )
    rate = settings.pop("meta_learning_rate")
    settings["schedule"] = {key: rate[key] for key in ("schedule", "final_fraction")}
    start = settings["start_from"]
    return {
        "seed": config.seed,
        "recipe": settings,
        "problem": _training_problem(config, settings["problem"]),
        "validated_on": _training_problem(config, config.recipes[recipe].validated_on),
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
    tuning = settings.tuning.model_dump(mode="json")
    grid = tuning.pop("grids")[baseline]
    return {
        "seed": config.seed,
        "horizon": settings.horizon,
        "problems": [_training_problem(config, problem) for problem in settings.problems],
        "tuning": tuning,
        "grid": grid,
    }


def evaluation_inputs(config: Config, experiment: str) -> dict[str, Any]:
    """What the test of one optimizer depends on, besides the optimizer."""
    settings = config.experiments[experiment]
    # How many problems run at once changes nothing, nor does to keep no pictures.
    evaluation = settings.evaluation.model_dump(mode="json", exclude={"batch"})
    if not settings.evaluation.pictures:
        del evaluation["pictures"]
    return {
        "seed": config.seed,
        "steps": settings.steps,
        "horizon": settings.horizon,
        "problems": [_problem(config, problem) for problem in settings.problems],
        "evaluation": evaluation,
    }


def measurement_inputs(config: Config, name: str) -> dict[str, Any]:
    """What a table of `measurements` depends on, besides trained optimizers and tunings.

    Unlike losses, times depend on the machine: on the device and on the threads.
    """
    settings = getattr(config.measurements, name).model_dump(mode="json")
    inputs = {"seed": config.seed, name: settings}
    if name == "overhead":
        settings["problems"] = [_problem(config, problem) for problem in settings["problems"]]
        compute = config.compute
        inputs["compute"] = {"device": compute.device_of("measure"), "threads": compute.threads}
        inputs["optimizers"] = [
            cost_settings(config.recipes[recipe].optimizer) for recipe in settings["recipes"]
        ]
    elif name == "updates":
        experiments = [config.experiments[key] for key in settings["experiments"]]
        inputs["problems"] = [_problem(config, key) for one in experiments for key in one.problems]
    elif name == "meta_gradients":
        for shown in (*settings["stages"].values(), *settings["estimators"].values()):
            del shown["title"]
        inputs["problem"] = _training_problem(config, settings["problem"])
        inputs["optimizers"] = [
            config.recipes[stage["recipe"]].optimizer.model_dump(mode="json")
            for stage in settings["stages"].values()
        ]
    return inputs


def claim_inputs(config: Config) -> dict[str, Any]:
    """What the verdicts depend on, besides curves and measurements."""
    return {
        key: claim.model_dump(mode="json", exclude={"statement", "source"})
        for key, claim in config.claims.items()
    }


def drawing_inputs(config: Config) -> dict[str, Any]:
    """What figures, reports and the page show beyond their tables."""
    measured = config.measurements.meta_gradients
    return {
        "figures": config.figures.model_dump(mode="json"),
        "labels": config.labels(),
        "problems": config.measurements.overhead.problems,
        "meta_gradients": [
            {key: one.title for key, one in shown.items()}
            for shown in (measured.stages, measured.estimators)
        ],
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


def _training_problem(config: Config, name: str) -> dict[str, Any]:
    """What training and tuning see of a problem: nothing of its held-out data."""
    problem = _problem(config, name)
    problem.pop("test_sample", None)
    if (parts := config.parts(name)) != (name,):
        problem["parts"] = [_training_problem(config, part) for part in parts]
    return problem


def _problem(config: Config, name: str) -> dict[str, Any]:
    return {"name": name, **config.problems[name].model_dump(mode="json")}
