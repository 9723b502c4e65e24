"""The user's data folder: where it is, and its files, verified when read and whole when written."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.errors import UserError
from l2l.files import write_text

ENVIRONMENT_VARIABLE = "L2L_DATA_DIR"
NOTE = "stand-in.txt"


class CorruptError(Exception):
    """Some content is not what it should be; the message names it and says how it differs."""


def data_directory(configured: str | Path | None) -> Path:
    """The folder that holds one subfolder per data set (mnist/, ...).

    The environment variable L2L_DATA_DIR wins, because it belongs to the machine and the
    configuration to the experiment; then the configured folder; then ./data.

    Args:
        configured: the folder named in the configuration, or None. `~` is expanded.

    Returns:
        An absolute path. It need not exist yet.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE) or configured or "data"
    return Path(chosen).expanduser().absolute()


def say(message: str) -> None:
    """Print a line for the user on stderr."""
    print(f"l2l: {message}", file=sys.stderr, flush=True)


def verify(name: str, content: bytes | NDArray[np.uint8], sha256: str) -> None:
    """Compare some content with its digest.

    Args:
        name: of the content, for the message.
        content: bytes, or a C-contiguous array of any shape, whose shape is not compared.
        sha256: hex digest that it must have.

    Raises:
        CorruptError: it has another digest.
    """
    values = content if isinstance(content, bytes) else content.reshape(-1).data
    digest = hashlib.sha256(values).hexdigest()
    if digest != sha256:
        raise CorruptError(f"{name}: SHA-256 {digest}, not {sha256}")


def read(path: Path) -> bytes | None:
    """The content of a file, None if there is no such file.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def prepare_folder(folder: Path) -> None:
    """Make a folder and its parent, and try to write into it, before anything is downloaded.

    Only these two levels are made: a missing grandparent is more likely a typing error.

    Args:
        folder: <data directory>/<data set>.

    Raises:
        UserError: the folder cannot be made or written.
    """
    try:
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(
            f"cannot write into {folder}: {error.strerror} ({error.filename}); make it, or set "
            f"{ENVIRONMENT_VARIABLE} to a folder that can be written"
        ) from error


def has_note(folder: Path) -> bool:
    """Whether the folder of a data set has the note that a stand-in is in use.

    The later jobs of a run do as the note says. Without it every job would wait for the same dead
    network, and some might reach it in the middle of the run.
    """
    return os.path.isfile(folder / NOTE)  # false, too, where one may not look


def write_note(folder: Path, title: str, stand_in: str, failure: str) -> None:
    """Write the note, and say on stderr what is used from now on.

    Args:
        folder: of the data set.
        title: the data set, a plural: "photographs".
        stand_in: what is used instead.
        failure: why each source failed.

    Raises:
        OSError: the note cannot be written.
    """
    path = folder / NOTE
    when = time.strftime("%Y-%m-%d %H:%M")
    write_text(
        path,
        f"{when}: the {title} are not in this folder and could not be fetched ({failure}).\n"
        f"Used instead: {stand_in}. Every figure made from that says so.\n"
        "Delete this file to have the sources tried again. Files put here by hand are used if all "
        "are there, with or without this file.\n",
    )
    say(f"the {title} could not be fetched ({failure}); used instead: {stand_in}; see {path}")
