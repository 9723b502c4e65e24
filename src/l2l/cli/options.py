"""What all commands have in common: the options that choose the configuration."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from l2l.config import load_config
from l2l.run import Run

OPTIONS = {
    "protocol": Annotated[
        str | None, typer.Option("--protocol", help="smoke, default or paper.", show_default=False)
    ],
    "config_file": Annotated[
        list[Path] | None,
        typer.Option("--config-file", help="YAML laid over the default; may be repeated."),
    ],
    "setting": Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value, such as evaluation.problems=8; may be repeated."),
    ],
}


def configured(command: Callable[..., None]) -> Callable[..., None]:
    """A command for typer, from a function whose first argument is a `Run`.

    The command has the function's other arguments, and the options --protocol, --config-file and
    --set, which make the run.
    """
    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in OPTIONS.items()
    ]

    @functools.wraps(command)
    def with_options(
        protocol: str | None,
        config_file: list[Path] | None,
        setting: list[str] | None,
        **arguments: Any,
    ) -> None:
        command(Run(load_config(protocol, config_file or (), setting or ())), **arguments)

    signature = inspect.Signature([*own, *shared])
    with_options.__signature__ = signature  # type: ignore[attr-defined]
    with_options.__annotations__ = {key: p.annotation for key, p in signature.parameters.items()}
    del with_options.__wrapped__  # its arguments are others
    return with_options
