"""The photographs' files in the user's folder, each verified by its digest."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from l2l.data.array_file import CorruptError
from l2l.data.local_file import read_verified, write_or_explain
from l2l.data.photographs_manifest import Photograph

REMADE = "remade.csv"
_LINE = re.compile(r"(\w+/\w+\.jpg),([0-9a-f]{64})")


class PhotographsFolder:
    """<data directory>/photos128: {train,validation,test}/NNNN.jpg and remade.csv.

    A file made from a verified original by another version of Pillow has other bytes than the
    manifest's. Its digest stands in remade.csv (file, sha256), so that it can be verified too.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def remade(self) -> dict[str, str]:
        """File -> the digest noted in remade.csv; empty if there is none."""
        try:
            lines = (self.path / REMADE).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return {}
        return {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}

    def set_remade(self, digests: Mapping[str, str]) -> None:
        """Write remade.csv, unless it says the same already.

        Raises:
            UserError: it cannot be written.
        """
        if digests == self.remade():
            return
        lines = [f"{file},{digest}\n" for file, digest in sorted(digests.items())]
        write_or_explain(self.path / REMADE, "".join(["file,sha256\n", *lines]).encode())

    def has(self, photograph: Photograph) -> bool:
        """Whether there is a file, right or wrong."""
        return os.path.isfile(self.path / photograph.file)  # false, too, where one may not look

    def read(self, photograph: Photograph) -> bytes | None:
        """The content of a verified file; None if it is missing.

        Raises:
            CorruptError: it is neither the manifest's file nor the noted remade one.
            UserError: it is there and cannot be read.
        """
        path = self.path / photograph.file
        try:
            return read_verified(path, photograph.sha256)
        except CorruptError:
            remade = self.remade().get(photograph.file)
            if remade is None:
                raise
            return read_verified(path, remade)

    def keep(self, photograph: Photograph, content: bytes) -> None:
        """Write a file made from its verified original.

        Raises:
            UserError: it cannot be written.
        """
        digest = hashlib.sha256(content).hexdigest()
        if digest != photograph.sha256:
            with self._alone():  # another process may add a line of its own at this moment
                self.set_remade(self.remade() | {photograph.file: digest})
        write_or_explain(self.path / photograph.file, content)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process is in here; the lock goes with the process."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
