"""Files: written whole or not at all, and times from the future mended."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pandas is imported only by the commands that have a table
    import pandas as pd


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all.

    `write` fills a temporary file in the same folder, which is flushed to disk and then renamed.
    If the process is killed at any moment, either the old file or the new one is there.

    Args:
        path: of the file; folders that are missing are made.
        write: gets the path of the temporary file, which has the same suffix, and fills it.

    Raises:
        OSError: the disk is full or the folder cannot be written; it has the name of the file.
            The old file is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.tmp{path.suffix}")
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())  # safetensors would let nobody else read
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno and not error.filename:  # a full disk: the error has no name
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes atomically."""
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically; floats keep all their bits."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table atomically, as parquet or csv, by the path's suffix."""
    if path.suffix == ".parquet":
        write_atomically(path, lambda temporary: table.to_parquet(temporary, index=False))
    else:
        write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))


def mend_times(folders: Iterable[Path]) -> int:
    """Mend the times of files that lie in the future, because a clock was wrong.

    Snakemake fails where an input is newer than its output. These files get times between the
    newest other file and now. The order of all files stays as it was.

    Args:
        folders: they and all folders below are searched; missing ones are skipped.

    Returns:
        How many files had a time in the future.
    """
    now = time.time_ns()
    times = {}
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with contextlib.suppress(FileNotFoundError):  # a temporary one of another process
            times[path] = path.stat().st_mtime_ns
    ahead = [path for path in times if times[path] > now]
    newest = max((then for then in times.values() if then <= now), default=now - 10**9)
    ranks = {then: rank for rank, then in enumerate(sorted({times[path] for path in ahead}), 1)}
    for path in ahead:
        then = newest + (now - newest) * ranks[times[path]] // len(ranks)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.utime(path, ns=(then, then))
    return len(ahead)
