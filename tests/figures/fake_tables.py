"""Synthetic tables with the columns of the real ones, and a style; only for tests."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Settings:
    dpi: int = 200
    width_inches: float = 3.25
    interval: float = 0.95
    font_size: float = 8.0


RATES = {
    "sgd": (0.03, 0.36),
    "rmsprop": (0.038, 0.33),
    "adam": (0.045, 0.31),
    "nag": (0.07, 0.28),
    "mnist_paper": (0.1, 0.33),
    "mnist_long_unroll": (0.12, 0.27),
}


def make_curves(optimizers: list[str], problems: int = 64, steps: int = 200) -> pd.DataFrame:
    """Noisy exponential decays from 2.4: three meta-seeds of what is learned."""
    rng = np.random.default_rng(5)
    step = np.arange(steps + 1)
    offsets = rng.normal(0, 0.1, (problems, 1))
    minibatch = rng.normal(0, 0.12, (problems, steps + 1))
    parts = []
    for optimizer in optimizers:
        learned = optimizer not in ("sgd", "rmsprop", "adam", "nag")
        for meta_seed in range(3) if learned else (-1,):
            rate, floor = RATES.get(optimizer, (0.05, 0.3))
            rate *= 1 + 0.1 * rng.normal() * learned
            slow = floor * (1 + 0.3 * np.exp(-step / 80))
            train = (2.4 - slow) * np.exp(-rate * step) + slow
            train = train * np.exp(offsets * np.minimum(step / 10, 1))
            if learned:
                phase = rng.uniform(0, 2 * np.pi, (problems, 1))
                train = train * (1 + 0.08 * np.sin(step / 2.5 + phase) * (step > 30))
            loss = train * np.exp(minibatch)
            parts.append(
                pd.DataFrame(
                    {
                        "experiment": "mnist",
                        "problem": np.repeat(np.arange(problems), steps + 1),
                        "optimizer": optimizer,
                        "meta_seed": meta_seed,
                        "step": np.tile(step, problems),
                        "loss": loss.ravel(),
                        "train_loss": train.ravel(),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def make_log(recipe: str, meta_seed: int, episodes: int = 400) -> pd.DataFrame:
    """A log with windows of 20, 50 and 100, validated every 50 episodes."""
    rng = np.random.default_rng(meta_seed)
    episode = np.arange(50, episodes + 1, 50)
    final = 0.29 + 0.9 * np.exp(-episode / 60) + rng.normal(0, 0.01, episode.size)
    return pd.DataFrame(
        {
            "recipe": recipe,
            "meta_seed": meta_seed,
            "episode": episode,
            "attempt": 0,
            "window": np.select([episode <= 100, episode <= 250], [20, 50], 100),
            "meta_learning_rate": 3e-3,
            "train_loss": final * 1.8,
            "meta_gradient_norm": 1.0,
            "validation_final": final,
            "validation_mean": final * 1.7,
            "seconds": episode * 0.5,
        }
    )
