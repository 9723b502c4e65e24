"""The weights phi that a name or a path stands for."""

from __future__ import annotations

from pathlib import Path

from l2l.errors import UserError
from l2l.optimizers import LearnedOptimizer
from l2l.optimizers.checkpoint import load
from l2l.optimizers.lstm import ONE_GROUP, CoordinatewiseLSTM
from l2l.optimizers.seal import seal
from l2l.shipped import optimizer_path

Source = str | Path
"""A released name, a path of a checkpoint, or either with ":" and a part behind it."""


def weights(source: str, device: str = "cpu") -> LearnedOptimizer:
    """The learned optimizer.

    Args:
        source: a name or a path, "name:part" for a part of an optimizer with several.
        device: as torch names it.

    Raises:
        UserError: there is none, it is damaged, or it has several parts and none is chosen.
    """
    path, part = _split(source)
    learned = load(path, device).optimizer
    names = [group.name for group in getattr(learned.settings, "groups", ONE_GROUP)]
    if part:
        if len(names) == 1 or part not in names:
            has = f"it has {', '.join(names)}" if len(names) > 1 else "it is one"
            raise UserError(f"{path.stem}:{part}: there is no such part; {has}")
        assert isinstance(learned, CoordinatewiseLSTM)
        return learned.alone(part)
    if len(names) > 1:
        raise UserError(
            f"{path.stem} has a part for each of {', '.join(names)}: give parameters in groups, "
            f'such as {{"params": ..., "learned": "{path.stem}:{names[0]}"}}'
        )
    return learned


def digest(learned: LearnedOptimizer) -> str:
    """SHA-256 of the settings and weights of an optimizer, hexadecimal."""
    return seal(learned.settings.model_dump_json(), learned.phi)


def _split(source: str) -> tuple[Path, str]:
    """The file, and the part of it or an empty string."""
    if Path(source).is_file():  # a path may have a colon
        return Path(source), ""
    name, _, part = source.rpartition(":")
    return (optimizer_path(name), part) if name else (optimizer_path(source), "")
