"""The entry point: gathers the commands, and turns errors meant for people into one line."""

from __future__ import annotations

import atexit
import gc
import sys

import typer

from l2l.cli import bench, evaluation, measurements, output, paint, training
from l2l.cli.options import ConfigFiles, Protocol, Settings
from l2l.config import load_config, resolved_yaml
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


@app.command("config")
def show_config(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Print the resolved configuration, checked."""
    print(resolved_yaml(load_config(protocol, config_file or (), setting or ())), end="")


def main() -> None:
    """Run the command line; exit code 2 where the user has to act."""
    # Importing torch makes objects by the hundred thousand and hardly any garbage. Looking for it
    # less often meanwhile, and not once more when the process ends, saves a quarter of a short job.
    gc.set_threshold(5000)
    atexit.register(_leave_garbage)
    try:
        app()
    except (UserError, OSError) as error:  # OSError: a full disk, a folder that cannot be written
        print(f"l2l: {in_words(error)}", file=sys.stderr)
        sys.exit(2)


def _leave_garbage() -> None:
    if "triton" not in sys.modules:  # it would complain, in fifty lines, of what is not collected
        gc.freeze()
