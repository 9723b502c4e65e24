"""The entry point: gathers the commands, and turns errors meant for people into one line."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Annotated, NoReturn

import typer

from l2l.cli import bench, evaluation, measurements, output, paint, training
from l2l.cli.options import ConfigFiles, Protocol, Settings, known
from l2l.config import load_config, resolved_yaml
from l2l.config.reference import reference
from l2l.errors import UserError, in_words

app = typer.Typer(
    name="l2l",
    help="Learning to learn by gradient descent by gradient descent: every stage as a command. "
    "`snakemake --cores all` runs them all, in order and only where needed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
training.register(app)
evaluation.register(app)
measurements.register(app)
output.register(app)
bench.register(app)
paint.register(app)

_BadUsage: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's class of what is wrong with arguments: click's, or of the copy that it brings along."""


@app.command("config")
def show_config(
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
    explained: Annotated[
        bool, typer.Option("--reference", help="What every key means, as docs/configuration.md.")
    ] = False,
    study: Annotated[
        str | None, typer.Option(help="Print the entries of this study alone.")
    ] = None,
) -> None:
    """Print the resolved and checked configuration."""
    config = load_config(protocol, config_file or (), setting or ())
    if study is not None:
        known("study", study, config.studies)
    print(reference(config) if explained else resolved_yaml(config, study), end="")


def main() -> None:
    """Run the command line; exit code 2 where the user has to act."""
    # Importing torch makes objects by the hundred thousand and hardly any garbage. Looking for it
    # less often meanwhile, and not once more when the process ends, saves a quarter of a short job.
    gc.set_threshold(5000)
    atexit.register(_leave_garbage)
    try:
        code = app(prog_name="l2l", standalone_mode=False)  # else it draws a box of several lines
    except (UserError, OSError) as error:  # OSError: a full disk, a folder that cannot be written
        _refuse(f"l2l: {in_words(error)}")
    except _BadUsage as error:
        context, told = getattr(error, "ctx", None), error.format_message()  # type: ignore[attr-defined]
        if not told:  # without any arguments the help has been printed
            sys.exit(2)
        command = context.command_path if context else "l2l"
        _refuse(f"{command}: {told.rstrip('.')}; see {command} --help")
    sys.exit(code)


def _refuse(message: str) -> NoReturn:
    """One line, whatever stands in names and values."""
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def _leave_garbage() -> None:
    if "triton" not in sys.modules:  # it would complain, in fifty lines, of what is not collected
        gc.freeze()
