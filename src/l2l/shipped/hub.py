"""Learned optimizers on the Hugging Face Hub: a checkpoint, and a model card with its SHA-256.

Nothing but these two files is read, and no code is run.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from l2l.errors import UserError
from l2l.optimizers.checkpoint import load
from l2l.shipped import optimizer_path, released

PREFIX = "hf:"
WEIGHTS, CARD = "optimizer.safetensors", "README.md"
SETTINGS = ("problem", "episodes", "steps", "start_from", "loss_weights")
"""What a card tells of a recipe."""


def fetch(name: str) -> Path:
    """The checkpoint of an optimizer on the hub, from its cache where it is there.

    Args:
        name: "user/name", or "user/name@revision" with a branch, tag or commit.

    Raises:
        UserError: huggingface-hub is not installed; there is no such optimizer; the hub cannot be
            reached; the file is not the one that its card tells.
    """
    source = PREFIX + name
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError:
        raise UserError(
            f"{source}: huggingface-hub is missing, which this needs: pip install 'l2l[hub]'"
        ) from None
    repository, _, revision = name.partition("@")
    try:
        weights, card = (
            Path(hf_hub_download(repository, file, revision=revision or None))
            for file in (WEIGHTS, CARD)
        )
        digest, told = _digest(weights), _front_matter(card.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # all of the hub's errors are these
        raise UserError(f"{source}: {' '.join(str(error).split())[:300]}") from None
    if told.get("sha256") != digest:
        raise UserError(
            f"{source}: {WEIGHTS} has SHA-256 {digest}, its card says {told.get('sha256')}: "
            "it is damaged, or was changed after `l2l card` made its card"
        )
    return weights


def model_card(source: str) -> str:
    """The card of a learned optimizer, for README.md beside its file on the hub.

    Args:
        source: a released name, or the path of a checkpoint.

    Raises:
        UserError: there is no such optimizer, or its file is damaged.

    Example:
        >>> print(model_card("quadratics").splitlines()[2])
        library_name: l2l
    """
    path = optimizer_path(source)
    checkpoint = load(path)
    made = checkpoint.provenance
    digest = _digest(path)
    front = {
        "license": "mit",
        "library_name": "l2l",
        "tags": ["learned-optimizer", "meta-learning", "pytorch"],
        "sha256": digest,
    }
    weights = sum(tensor.numel() for tensor in checkpoint.optimizer.phi.values())
    rows: dict[str, Any] = {
        "kind": checkpoint.optimizer.settings.kind,
        "weights": f"{weights:,}",
        "recipe": made.get("recipe"),
        **{key: (made.get("inputs") or {}).get("recipe", {}).get(key) for key in SETTINGS},
        "meta-seed": made.get("meta_seed"),
        "best validation loss": f"{made.get('best_validation', float('nan')):.4g}",
        "commit": made.get("commit"),
    }
    told = {key: value for key, value in rows.items() if value is not None}
    table = [f"| {key.replace('_', ' ')} | {value} |" for key, value in told.items()]
    if known := released().get(source):
        table += [f"| works | {known.works} |", f"| fails | {known.fails} |"]
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, sort_keys=False).strip(),
            "---",
            "",
            f"# {made.get('recipe', path.stem)}, a learned optimizer",
            "",
            "Its update rule was meta-trained by gradient descent ([Andrychowicz et al. 2016]"
            "(https://arxiv.org/abs/1606.04474)); it is a `torch.optim.Optimizer`:",
            "",
            "```python",
            "import l2l",
            "",
            'optimizer = l2l.LearnedOptimizer(model.parameters(), "hf:USER/NAME")',
            "```",
            "",
            "| | |",
            "|---|---|",
            *table,
            "",
            f"`{WEIGHTS}` holds tensors and their description, no code. Its SHA-256 is checked",
            "before it is used.",
            "",
        ]
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _front_matter(text: str) -> dict[str, Any]:
    """The YAML between the first two lines of "---", {} without any."""
    _, mark, rest = text.partition("---\n")
    found = yaml.safe_load(rest.partition("\n---")[0]) if mark else None
    return found if isinstance(found, dict) else {}
