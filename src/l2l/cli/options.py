"""Options that several commands share, and names checked against the configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l2l.config import Config, load_config
from l2l.config.schema import Stage
from l2l.errors import UserError
from l2l.layout import Layout

if TYPE_CHECKING:  # torch is imported only by the commands that compute
    import torch

    from l2l.problems import Family

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


def open_problems(
    config: Config, problems: Iterable[str], stage: Stage
) -> tuple[dict[str, Family], torch.device]:
    """Make the machine ready for a stage, load and verify the data, return families of problems."""
    from l2l.compute import prepare
    from l2l.data.folder import data_directory
    from l2l.problems import make_family

    device = prepare(config.compute, stage)
    directory = data_directory(config.data.directory)
    families = {
        name: make_family(name, config.problems, config.seed, directory, device)
        for name in problems
    }
    for family in families.values():
        _check_stand_ins(getattr(family, "stand_ins", {}), Layout(config.run_name))
    return families, device


def _check_stand_ins(used: Mapping[str, str | None], layout: Layout) -> None:
    """See that results say what their pictures are made from: captions and claims go by it.

    Raises:
        UserError: the record of a dataset names another stand-in than the one in use.
    """
    for dataset, stand_in in used.items():
        path = layout.data(dataset)
        if not path.exists():
            continue
        noted = json.loads(path.read_text())["stand_in"]
        if noted != stand_in:
            raise UserError(
                f"{path} says that what is used is {noted or 'the real ones'}, but it would be "
                f"{stand_in or 'the real ones'}: delete the file and run again"
            )
