"""`l2l card`: what to know about a learned optimizer, to publish it with."""

from __future__ import annotations

from typing import Annotated

import typer


def card(
    optimizer: Annotated[str, typer.Argument(help="A released optimizer, or a checkpoint's path.")],
) -> None:
    """Print the model card of a learned optimizer: README.md beside it on the Hugging Face Hub."""
    from l2l.shipped.hub import model_card

    print(model_card(optimizer), end="")
