"""Meta-training: truncated backpropagation through time over windows of inner steps (section 2).

Each episode samples new problems. theta and the optimizer's state are carried over an episode's
windows; phi takes an Adam step after each window. After each epoch phi's average is validated and
the best is kept. A run that collapses starts again, one that diverges steps back
(`l2l.meta.epoch`).
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from l2l.config.recipes import Recipe
from l2l.estimators import Episode, make_estimator, sample_cotangents
from l2l.meta.epoch import SLOWER, AllCollapsedError, CollapseError, close_epoch, validate
from l2l.meta.schedule import episode_length, loss_weights, meta_learning_rate, window_length
from l2l.meta.state import TrainingState, load_state, save_state
from l2l.optimizers import UpdateRule, bind, make_optimizer
from l2l.optimizers.handcrafted import Adam
from l2l.optimizers.weights import flatten_phi, initial_phi, unflatten_phi
from l2l.problems import Family, live_part
from l2l.progress import Progress
from l2l.rng import stream

SECONDS_BETWEEN_SAVES = 10.0
NORMS_KEPT = 100


@dataclass(frozen=True)
class Training:
    """One meta-training: which recipe, from which stream, at which meta learning rate.

    Attributes:
        name: the recipe's name, the first part of its streams' names.
        recipe: what to do.
        rate: the (highest) meta learning rate.
        run: names this run's streams, such as ("seed", 0). All trials of a search have the same, so
            that they differ in nothing but the meta learning rate.
        seed: the one seed of the project's run.
        device: where to compute.
        episodes: where to stop; a trial runs only the recipe's beginning.
        label: its name in the progress line.
        start: the weights to start from, one vector; None: drawn anew at each attempt.
    """

    name: str
    recipe: Recipe
    rate: float
    run: tuple[str | int, ...]
    seed: int
    device: torch.device
    episodes: int
    label: str
    start: Tensor | None = None

    def optimizer(self, phi: Tensor) -> UpdateRule:
        """The learned optimizer with the weights phi, a vector."""
        return make_optimizer(self.recipe.optimizer, unflatten_phi(phi, self.recipe.optimizer))

    def rate_at(self, state: TrainingState, episode: int) -> float:
        """The meta learning rate of an episode: by the schedule, and lower after steps back."""
        progress = episode / self.recipe.episodes
        scheduled = meta_learning_rate(self.recipe.meta_learning_rate, self.rate, progress)
        return scheduled * SLOWER ** len(state.diverged)

    def begin(self, attempt: int) -> TrainingState:
        """The state before the first episode of an attempt."""
        longest = max(stage.steps or self.recipe.steps for stage in self.recipe.unroll)
        remembered = make_estimator(self.recipe.estimator).remembers(longest)
        return TrainingState.start(self.initial(attempt), remembered)

    def initial(self, attempt: int) -> Tensor:
        """The initial weights of an attempt, one vector."""
        if self.start is not None:
            return self.start.to(self.device)
        settings = self.recipe.optimizer
        generator = stream(self.seed, "phi", self.name, *self.run, attempt)
        return flatten_phi(initial_phi(settings, generator), settings).to(self.device)


def train(
    training: Training,
    family: Family,
    state_path: Path,
    digest: str,
    validation_family: Family | None = None,
) -> TrainingState:
    """Meta-train to the end, resuming from `state_path` where it holds such a run.

    Args:
        training: what to train.
        family: the problems.
        state_path: where the state is kept, so that a killed run can go on.
        digest: of everything that the result depends on; a state with another one is not resumed.
        validation_family: the problems of validation; None: the same family.

    Returns:
        The final state; its `best` is the trained optimizer.

    Raises:
        AllCollapsedError: every attempt collapsed.
        DivergedError: it diverged more often than the recipe lets it step back.
    """
    recipe = training.recipe
    saved = load_state(state_path, digest, training.device)
    if isinstance(saved, TrainingState):
        state, message = saved, f"resumed after episode {saved.episode}"
    else:
        state = training.begin(0)
        message = "" if saved == "nothing to resume" else f"{saved}; starting anew"
    progress = Progress(training.label, training.episodes, done=state.episode)
    if message:
        progress.say(message)
    validated_on = validation_family or family
    if recipe.validation.loss == "test_loss":
        validated_on = validated_on.apart()
    count = recipe.validation.problems
    validation_problems = live_part(
        validated_on.sample(
            ("validation", recipe.validated_on), range(count), recipe.validation.steps
        ),
        couples=recipe.optimizer.couples,
    )
    note = ""
    last_save = start = time.monotonic()
    before = state.seconds
    while state.episode < training.episodes:
        train_episode(training, family, state)
        if state.episode % recipe.validation.every == 0 or state.episode == training.episodes:
            optimizer = training.optimizer(state.average)
            result = validate(
                validation_problems, optimizer, recipe.validation.steps, recipe.validation.loss
            )
            state.seconds = before + time.monotonic() - start
            try:
                rate = training.rate_at(state, state.episode - 1)
                if event := close_epoch(training.name, recipe, rate, state, result):
                    progress.say(event)
                note = f"validation {result.final:.4g}, best {state.best_validation:.4g}"
            except CollapseError as collapse:
                progress.say(f"attempt {state.attempt} collapsed: {collapse}")
                state = _next_attempt(training, state, str(collapse))
                progress.close()
                progress = Progress(f"{training.label} attempt {state.attempt}", training.episodes)
        state.seconds = before + time.monotonic() - start
        finished = state.episode == training.episodes
        if finished or time.monotonic() - last_save > SECONDS_BETWEEN_SAVES:
            save_state(state_path, state, digest)
            last_save = time.monotonic()
        if state.episode:
            progress.advance(note)
    progress.close()
    return state


def train_episode(training: Training, family: Family, state: TrainingState) -> None:
    """One episode: new problems, window after window, an update of phi after each."""
    recipe = training.recipe
    length, total = window_length(recipe, state.episode), episode_length(recipe, state.episode)
    if state.episode and length != window_length(recipe, state.episode - 1):
        state.reset_meta_optimizer()
    adam = Adam(training.rate_at(state, state.episode))
    count = recipe.problems_per_episode
    first = state.episode * count
    names = (recipe.problem, training.name, *training.run, state.attempt)
    problems = live_part(
        family.sample(("train", *names), range(first, first + count), total),
        train_loss=False,
        couples=recipe.optimizer.couples,
    )
    sample = None
    if recipe.sampling.fraction < 1:
        generator = stream(training.seed, "coordinates", *names, state.episode)
        sample = partial(sample_cotangents, settings=recipe.sampling, generator=generator)
    places = problems.places()

    def optimizer() -> UpdateRule:
        return bind(training.optimizer(state.phi), places, total)

    estimator = make_estimator(recipe.estimator)
    draws = stream(training.seed, "estimator", *names, state.episode)
    episode = Episode(problems, loss_weights(recipe), draws, sample, state.memory)
    carry = estimator.begin(episode, optimizer())
    while carry.step < total:
        steps = min(length, total - carry.step)
        window = estimator.window(episode, optimizer(), carry, steps)
        carry = window.carry
        if window.memory is not None:
            state.memory = window.memory
            episode = replace(episode, memory=window.memory)
        state.epoch_losses.append(window.losses.mean().item())
        gradient = flatten_phi(window.gradient, recipe.optimizer)
        _update_phi(recipe, state, adam, gradient, window.meta_loss.item())
    state.episode += 1


def _update_phi(
    recipe: Recipe, state: TrainingState, adam: Adam, gradient: Tensor, meta_loss: float
) -> None:
    """Clip the meta-gradient, take an Adam step, and move the average."""
    if meta_loss == 0:  # no loss of this window has a weight
        return
    norm = gradient.norm().item()
    if not (math.isfinite(norm) and math.isfinite(meta_loss)):  # the problem diverged
        state.epoch_skipped += 1
        return
    state.epoch_norms.append(norm)
    if not state.alive:
        state.signals.append(norm / meta_loss)
    state.norms = [*state.norms, norm][-NORMS_KEPT:]
    named = {"none": math.inf, "running_median": statistics.median(state.norms)}
    limit = float(named.get(str(recipe.clip), recipe.clip))
    if norm > limit:
        gradient = gradient * (limit / norm)
    step, state.adam = adam.update(gradient, state.adam)
    state.phi = state.phi + step
    state.average = recipe.averaging * state.average + (1 - recipe.averaging) * state.phi


def _next_attempt(training: Training, state: TrainingState, reason: str) -> TrainingState:
    """Start again from the next initialisation of the stream; the history stays."""
    attempt = state.attempt + 1
    if attempt >= training.recipe.attempts:
        raise AllCollapsedError(
            f"{training.name}: all {attempt} attempts collapsed (last: {reason}); try another "
            "seed, a lower meta learning rate or optimizer.head_init_scale below 1"
        )
    fresh = training.begin(attempt)
    fresh.attempt, fresh.rows, fresh.seconds = attempt, state.rows, state.seconds
    fresh.collapsed = [*state.collapsed, reason]
    return fresh
