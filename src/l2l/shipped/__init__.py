"""Learned optimizers that come with the package: meta-trained by this project, 9 to 48 KB each."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from safetensors import safe_open

from l2l.config.base import did_you_mean
from l2l.errors import UserError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """What to know about a released optimizer before using it; `print(card)` shows all of it.

    Attributes:
        name: for `l2l.LearnedOptimizer`.
        trained_on: the problems of its meta-training, and the length of its runs.
        works: where it did well.
        fails: where it did not.
        measured: rows of docs/replication/claims.csv: experiment, baseline, metric, loss, and
            learned / baseline - 1 with its 95 % interval (estimate, low, high), rounded.
        recipe: the recipe of the configuration that meta-trained it.
        meta_seed: the one of the recipe's meta-seeds that validated best.
        episodes: length of its meta-training.
        commit: the commit of the program that made it.
        digest: SHA-256 of its file, hexadecimal.
    """

    name: str
    trained_on: str
    works: str
    fails: str
    measured: list[dict[str, Any]]
    recipe: str
    meta_seed: int
    episodes: int
    commit: str
    digest: str

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.name}: meta-trained on {self.trained_on}",
                f"  works: {self.works}",
                f"  fails: {self.fails}",
                *map(_comparison, self.measured),
                f"  recipe {self.recipe}, meta-seed {self.meta_seed}, {self.episodes} episodes, "
                f"commit {self.commit}, SHA-256 {self.digest[:16]}...",
            )
        )


def _comparison(row: dict[str, Any]) -> str:
    what = row["metric"].replace("_", " ")
    if row["loss"] == "test_loss":
        what = what.replace("loss", "held-out loss")
    estimate, low, high = (f"{100 * row[key]:+.3g} %" for key in ("estimate", "low", "high"))
    return f"  {what} against {row['baseline']} on {row['experiment']}: {estimate} [{low}, {high}]"


def released() -> dict[str, Card]:
    """The learned optimizers that come with the package.

    Returns:
        Name -> card. The name is what `l2l.LearnedOptimizer(..., learned=name)` takes; the card
        says what the optimizer was meta-trained on, where it works and where it fails.

    Example:
        >>> import l2l
        >>> cards = l2l.released()
        >>> list(cards)
        ['general', 'quadratics', 'mnist', 'cifar', 'neural_art', 'hierarchical']
        >>> print(cards["mnist"].recipe, cards["mnist"].meta_seed)
        mnist_long_unroll 2
    """
    return dict(_cards())


@functools.cache
def _cards() -> dict[str, Card]:
    texts = yaml.safe_load((FOLDER / "cards.yaml").read_text(encoding="utf-8"))
    return {name: _card(name, text) for name, text in texts.items()}


def _card(name: str, text: dict[str, Any]) -> Card:
    path = FOLDER / f"{name}.safetensors"
    with safe_open(path, framework="numpy") as file:
        made: dict[str, Any] = json.loads(file.metadata()["l2l"])["provenance"]
    origin = {key: made[key] for key in ("recipe", "meta_seed", "episodes", "commit")}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Card(name=name, digest=digest, **text, **origin)


def optimizer_path(name: str) -> Path:
    """The checkpoint file of a released optimizer, or a checkpoint of the user's own.

    Args:
        name: one of `released()`, or the path of a .safetensors file.

    Raises:
        UserError: there is no such optimizer and no such file.
    """
    if name in _cards():
        return FOLDER / f"{name}.safetensors"
    if Path(name).is_file():
        return Path(name)
    raise UserError(
        f"no optimizer '{name}'{did_you_mean(name, _cards())}: give one of {', '.join(_cards())}, "
        "or a file such as results/default/training/neural_art/seed0/optimizer.safetensors"
    )
