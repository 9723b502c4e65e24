"""The folder that a dataset is written into."""

from __future__ import annotations

import os
from pathlib import Path

from l2l.errors import UserError


def prepare_folder(folder: Path, remedy: str) -> None:
    """Make a folder and its parent, and try that it can be written, before anything is downloaded.

    Only these two levels are made: a missing grandparent is more likely a slip of the pen.

    Args:
        folder: <data directory>/<dataset>.
        remedy: what the user can do, the end of the error message.

    Raises:
        UserError: the folder cannot be made or written.
    """
    above = folder.parent.parent
    if not above.is_dir():
        raise UserError(f"cannot write into {folder}: there is no folder {above}; {remedy}")
    try:
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot write into {folder}: {reason}; {remedy}") from error
