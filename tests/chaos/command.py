"""`l2l` as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start(
    folder: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str
) -> subprocess.Popen[str]:
    """A command in the background; `before` goes before it on the command line."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "l2l", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def l2l(
    folder: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str
) -> tuple[int, str]:
    """The exit code and stderr of a command."""
    process = start(folder, *arguments, before=before, **environment)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def assert_refused(outcome: tuple[int, str], *parts: str) -> None:
    """One line for the user, with these parts, last; exit code 2, no traceback."""
    code, said = outcome
    lines = said.strip().splitlines()
    assert code == 2, said
    assert "Traceback" not in said
    assert lines[-1].startswith("l2l: ")
    assert all(part in lines[-1] for part in parts), said
