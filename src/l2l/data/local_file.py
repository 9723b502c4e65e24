"""One file of a dataset in the user's folder: verified when read, whole when written."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from l2l.data.array_file import CorruptError
from l2l.errors import UserError
from l2l.files import write_bytes


def read_verified(path: Path, sha256: str) -> bytes | None:
    """Read a file whose SHA-256 is known.

    Args:
        path: of the file.
        sha256: the hex digest that its content must have.

    Returns:
        Its content; None if there is no such file.

    Raises:
        CorruptError: it has another digest.
        UserError: it is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise CorruptError(f"{path}: SHA-256 {digest[:12]}..., not {sha256[:12]}...")
    return content


def write_or_explain(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        UserError: it cannot be written, with the reason.
    """
    try:
        write_bytes(path, content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def say(message: str) -> None:
    """A line for the user, beside the output."""
    print(f"l2l: {message}", file=sys.stderr, flush=True)
