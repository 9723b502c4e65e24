"""The note in a dataset's folder that a stand-in is in use: the later jobs of a run do as it says.

Without it every job of a run would wait for the same dead network, and some might find it alive
again in the middle of the run.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from l2l.data.local_file import say, write_or_explain
from l2l.errors import UserError

FILE = "stand-in.txt"


def noted(folder: Path) -> bool:
    """Whether the folder of a dataset has the note."""
    return os.path.isfile(folder / FILE)  # false, too, where one may not look


def take_note(folder: Path, title: str, stand_in: str, failure: str) -> None:
    """Write the note, and say on stderr what is used from now on.

    Args:
        folder: of the dataset.
        title: the dataset, a plural: "the photographs".
        stand_in: what is used in its place.
        failure: why each source failed.

    Raises:
        UserError: the note cannot be written.
    """
    path = folder / FILE
    when = time.strftime("%Y-%m-%d %H:%M")
    write_or_explain(
        path,
        f"{when}: {title} are neither in this folder nor to be had ({failure}).\n"
        f"In their place: {stand_in}. Every figure made from that says so.\n"
        "Delete this file to have the sources tried again. Files put here by hand are used if all "
        "are there, with or without this one.\n".encode(),
    )
    say(f"{title} are not to be had ({failure}); in their place: {stand_in}; see {path}")


def drop_note(folder: Path) -> None:
    """Delete the note, if it is there: the dataset itself is.

    Raises:
        UserError: it cannot be deleted.
    """
    if not (folder / FILE).exists():  # on a read-only disk even unlink(missing_ok) fails
        return
    try:
        (folder / FILE).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot delete {folder / FILE}: {error.strerror or error}") from error
