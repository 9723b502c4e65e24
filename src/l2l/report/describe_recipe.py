"""Recipes in words: what a learned optimizer is, and how it is meta-trained."""

from __future__ import annotations

import math

from l2l.config import Config
from l2l.config.estimators import (
    AdjointSettings,
    CombinedSettings,
    EstimatorSettings,
    EvolutionSettings,
    PersistentEvolutionSettings,
    ReinforceSettings,
    UnrolledSettings,
)
from l2l.config.optimizers import (
    HierarchicalSettings,
    LearnedSettings,
    LSTMSettings,
    Preprocessing,
    RNNSettings,
)
from l2l.config.recipes import Recipe
from l2l.report.html import Row, wrapped
from l2l.report.words import count, listed, plain

SCHEDULES = {"constant": "constant", "cosine": "falling along a cosine to {final:g} of that"}
WEIGHTS = {
    "equal": "every step's loss counts the same, w[t] = 1",
    "final": "only the last step's loss counts",
    "inverse": "w[t] = 1 / (loss + {offset:g}): equal relative improvements count the same",
}


def groups(settings: LSTMSettings) -> list[str]:
    """Which LSTM serves which parameters: a phrase for each group."""
    return [
        f"the {group.name} LSTM serves {listed(list(group.parameters))}"
        for group in settings.groups
    ]


def recipe(name: str, config: Config, meta_learning_rate: float) -> list[Row]:
    """How a learned optimizer is built and meta-trained.

    Args:
        name: a recipe.
        config: holds it.
        meta_learning_rate: the one that was chosen.

    Returns:
        Rows of "setting" and "value".
    """
    settings = config.recipes[name]
    rate = settings.meta_learning_rate
    schedule = SCHEDULES[rate.schedule].format(final=rate.final_fraction)
    origin = (
        f"the best of {rate.trials} random trials between {plain(rate.low)} and {plain(rate.high)}"
        if rate.trials
        else "fixed, not searched"
    )
    rows = {
        "meta-trained on": settings.problem,
        "network": _network(settings.optimizer),
        "input": _input(settings.optimizer),
        "output": _output(settings.optimizer),
        "initialisation": f"the trained weights of recipe {settings.start_from}"
        if settings.start_from
        else _start(settings.optimizer),
        "meta-gradient": _estimator(settings.estimator),
        "episodes": f"{settings.episodes:,}, each {settings.steps} steps on "
        f"{count(settings.problems_per_episode, 'fresh problem')}",
        "windows": _windows(settings),
        "meta-loss": _weights(settings),
        "meta learning rate": f"Adam with {plain(meta_learning_rate)} ({origin}), {schedule}",
        "clipping": {
            "none": "none",
            "running_median": "meta-gradients longer than the running median are cut to it",
        }.get(str(settings.clip), f"meta-gradients are cut to length {settings.clip}"),
        "backward pass": "all coordinates"
        if settings.sampling.fraction == 1
        else f"{100 * settings.sampling.fraction:g} % of the coordinates, drawn anew for each "
        "window and weighted by 1 / probability: unbiased",
        "averaging of φ": f"exponential, {settings.averaging:g} an update"
        if settings.averaging
        else "none",
        "validation": f"every {settings.validation.every} episodes on "
        f"{count(settings.validation.problems, 'problem')} kept apart "
        f"({settings.validated_on}); the best φ is kept",
        "meta-seeds": count(settings.meta_seeds, "independent meta-training"),
    }
    return [{"setting": setting, "value": wrapped(value)} for setting, value in rows.items()]


def _windows(settings: Recipe) -> str:
    stages = [
        f"{stage.window} steps from episode {math.ceil(stage.start * settings.episodes)}"
        + (f" (episodes of {stage.steps})" if stage.steps else "")
        for stage in settings.unroll
    ]
    if len(stages) == 1:
        return f"{settings.unroll[0].window} steps throughout"
    return listed(stages)


def _weights(settings: Recipe) -> str:
    chosen = settings.loss_weights
    if isinstance(chosen, tuple):
        return f"a weight for each of the {len(chosen)} steps"
    return WEIGHTS[chosen].format(offset=settings.inverse_offset)


def _network(settings: LearnedSettings) -> str:
    """What computes the step, and how many weights it has."""
    from l2l.optimizers.weights import phi_shapes  # imports torch

    weights = sum(math.prod(shape) for shape in phi_shapes(settings).values())
    if isinstance(settings, LSTMSettings):
        several = len(settings.groups) > 1
        of_one = weights // len(settings.groups)
        serving = (
            f"; {len(settings.groups)} such LSTMs: {listed(groups(settings))}"
            if several
            else ", shared by all coordinates of θ"
        )
        averaged = (
            f"; {settings.averaged_cells} cells of each layer are averaged over the coordinates"
            if settings.averaged_cells
            else ""
        )
        return (
            f"{count(settings.layers, 'LSTM layer')} of {settings.units} units and a linear "
            f"output: {of_one:,} weights φ{serving}{averaged}"
        )
    if isinstance(settings, RNNSettings):
        kind = "tanh RNN" if settings.recurrence == "tanh" else "memoryless tanh"
        return (
            f"{count(settings.layers, f'{kind} layer')} of {settings.units} units and a linear "
            f"output: {weights:,} weights φ, shared by all coordinates of θ"
        )
    if isinstance(settings, HierarchicalSettings):
        units = (settings.parameter_units, settings.tensor_units, settings.global_units)
        return (
            "a GRU of {} units for each coordinate, one of {} for each tensor, one of {} for all: "
            "{:,} weights φ".format(*units, weights)
        )
    return f"kind {settings.kind}: {weights:,} weights φ"


def _input(settings: LearnedSettings) -> str:
    if isinstance(settings, HierarchicalSettings):
        return (
            f"gradients averaged over {count(settings.scales, 'time scale')}, divided by their "
            "running magnitudes; how these compare; the learning rate relative to the others"
        )
    if not isinstance(settings, Preprocessing):
        return "its own"
    if settings.preprocessing == "log":
        return f"log-magnitude and sign of the gradient, equation (6), p = {settings.p:g}"
    if settings.input_scale == 1:
        return "the gradient as it is"
    return f"the gradient times {settings.input_scale:g}"


def _output(settings: LearnedSettings) -> str:
    if isinstance(settings, LSTMSettings | RNNSettings):
        return f"times {settings.output_scale:g}, added to θ"
    if isinstance(settings, HierarchicalSettings):
        return (
            "a direction and the change of a log learning rate that starts at "
            f"{plain(settings.learning_rate)}"
        )
    return "its own"


def _start(settings: LearnedSettings) -> str:
    head = getattr(settings, "head_init_scale", None)
    if head is None:
        return "its own"
    forget = (
        f"forget-gate bias {settings.forget_bias:g}; " if isinstance(settings, LSTMSettings) else ""
    )
    return f"{forget}output layer's weights times {head:g}"


def _estimator(settings: EstimatorSettings) -> str:
    """How the meta-gradient of a window is found."""
    if isinstance(settings, AdjointSettings):
        return "backpropagation through the window, second derivatives dropped (equation 5)"
    if isinstance(settings, UnrolledSettings):
        return (
            f"backpropagation through the window, second derivatives {settings.second_derivatives}"
        )
    if isinstance(settings, ReinforceSettings):
        return (
            f"REINFORCE: steps are drawn around the output with standard deviation "
            f"{plain(settings.sigma)}, returns compared with their running mean"
        )
    drawn = ""
    if isinstance(settings, EvolutionSettings | PersistentEvolutionSettings | CombinedSettings):
        drawn = (
            f", {settings.pairs} antithetic pairs of φ with standard deviation "
            f"{plain(settings.sigma)}"
        )
    names = {
        "es": "evolution strategies",
        "pes": "persistent evolution strategies",
        "combined": "evolution strategies and backpropagation, weighted by inverse variances",
    }
    return f"{names.get(settings.kind, f'kind {settings.kind}')}{drawn}"
