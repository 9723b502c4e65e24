"""The entry point: gathers the commands, and turns errors meant for people into one line."""

from __future__ import annotations

import atexit
import functools
import gc
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from l2l.cli.bench import bench
from l2l.cli.card import card
from l2l.cli.commands import COMMANDS
from l2l.cli.paint import paint
from l2l.config import load_config, resolved_yaml
from l2l.config.reference import reference
from l2l.errors import UserError, in_words, known
from l2l.provenance import version
from l2l.run import Run

app = typer.Typer(
    name="l2l",
    help="Learning to learn by gradient descent by gradient descent: every stage as a command. "
    "`snakemake --cores all` runs them all, in order and only where needed.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_BadUsage: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's class of errors in arguments: click's, or that of the copy of click it brings along."""


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
"""The options of all commands: they choose the configuration."""


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


def show_config(
    run: Run,
    explained: Annotated[
        bool, typer.Option("--reference", help="What every key means, as docs/configuration.md.")
    ] = False,
    study: Annotated[
        str | None, typer.Option(help="Print the entries of this study alone.")
    ] = None,
) -> None:
    """Print the resolved and checked configuration."""
    if study is not None:
        known("study", study, run.config.studies)
    print(reference(run.config) if explained else resolved_yaml(run.config, study), end="")


app.command("config")(configured(show_config))
for command in (*COMMANDS, bench, paint):
    app.command()(configured(command))
app.command()(card)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"l2l {version()}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of `l2l` itself."""


def main() -> None:
    """Run the command line; exit code 2 where the user has to act."""
    # Importing torch makes many objects and hardly any garbage. Fewer collections, and none when
    # the process ends, save about 10 % of the CPU time of a small training job.
    gc.set_threshold(5000)
    atexit.register(_skip_last_collection)
    try:
        code = app(prog_name="l2l", standalone_mode=False)  # else it draws a box of several lines
    except (UserError, OSError) as error:  # OSError: a full disk, a folder that cannot be written
        _refuse(f"l2l: {in_words(error)}")
    except _BadUsage as error:
        context, message = getattr(error, "ctx", None), error.format_message()  # type: ignore[attr-defined]
        if not message:  # without any arguments the help has been printed
            sys.exit(2)
        command = context.command_path if context else "l2l"
        _refuse(f"{command}: {message.rstrip('.')} (see {command} --help)")
    sys.exit(code)


def _refuse(message: str) -> NoReturn:
    """Print one line, whatever names and values contain, and end."""
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def _skip_last_collection() -> None:
    if "triton" not in sys.modules:  # triton complains about objects that are not collected
        gc.freeze()
