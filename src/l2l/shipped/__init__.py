"""Learned optimizers that come with the package: meta-trained by this project, 20 KB each."""

from __future__ import annotations

from pathlib import Path

from l2l.errors import UserError

FOLDER = Path(__file__).parent


def released() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def optimizer_path(name: str) -> Path:
    """The checkpoint of a released optimizer, or of a file that is named.

    Args:
        name: one of `released()`, or the path of a .safetensors file.

    Raises:
        UserError: there is neither.
    """
    if name in released():
        return FOLDER / f"{name}.safetensors"
    if Path(name).is_file():
        return Path(name)
    raise UserError(
        f"no optimizer '{name}': give one of {', '.join(released())}, or the path of a file such "
        "as results/default/training/neural_art/seed0/optimizer.safetensors"
    )
