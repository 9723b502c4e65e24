"""Data files out of a downloaded tar archive, read without unpacking it."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from l2l.data.sources import SourceError


def read_members(archive: Path, members: Iterable[str]) -> dict[str, bytes]:
    """Read named regular files of a tar archive into memory; nothing is extracted to the disk.

    Args:
        archive: a gzipped tar file, not trusted.
        members: the exact names wanted. Everything else in the archive is left alone.

    Returns:
        Member -> content.

    Raises:
        SourceError: not a tar file, damaged, or a member is missing or not a regular file.
    """
    contents = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for name in members:
                member = tar.getmember(name)
                # A link could stand for any file of this machine.
                file = tar.extractfile(member) if member.isreg() else None
                if file is None:
                    raise SourceError(f"{name} in {archive.name} is not a regular file")
                contents[name] = file.read()
    except KeyError as error:
        raise SourceError(f"{archive.name}: {error.args[0]}") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is damaged: {error}") from error
    return contents
