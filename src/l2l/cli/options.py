"""Options that several commands share, and names checked against the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from l2l.config import Config, load_config
from l2l.errors import UserError
from l2l.layout import Layout

Protocol = Annotated[
    str | None, typer.Option("--protocol", help="smoke, default or paper.", show_default=False)
]
ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option("--config-file", help="YAML laid over the default; may be repeated."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value, such as evaluation.problems=8; may be repeated."),
]


def configuration(
    protocol: str | None, files: list[Path] | None, settings: list[str] | None
) -> tuple[Config, Layout]:
    """The checked configuration and where its outputs lie."""
    config = load_config(protocol, files or (), settings or ())
    return config, Layout(config.run_name)


def known(kind: str, name: str, among: Iterable[str]) -> str:
    """The name itself, or a UserError that lists the allowed ones."""
    names = list(among)
    if name not in names:
        raise UserError(f"no {kind} {name!r}; there are: {', '.join(names)}")
    return name


def in_range(kind: str, number: int, count: int) -> int:
    """The number itself, or a UserError that tells the range."""
    if not 0 <= number < count:
        raise UserError(f"{kind} {number}: the configuration has 0..{count - 1}")
    return number
