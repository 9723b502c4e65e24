"""Data sets of single pictures: in the user's folder, else fetched one by one, else a stand-in.

Where the pictures cannot be fetched, free pictures stand in for all of them, and whatever is made
from those says so. A note in the folder keeps it so for the whole run (`folder.has_note`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from l2l.data.bundled import pixels
from l2l.data.folder import (
    NOTE,
    CorruptError,
    has_note,
    prepare_folder,
    read,
    say,
    verify,
    write_note,
)
from l2l.data.https import download
from l2l.data.sources import DatasetRecord, SourceError, TransientSourceError
from l2l.errors import UserError
from l2l.files import write_bytes
from l2l.progress import Progress

HOST = "raw.githubusercontent.com"
SITE = f"https://{HOST}"
AT_ONCE = 8  # if none of these arrives, the site is given up
REMADE = "the same pictures, cropped and scaled anew"
SEAL = b"\nl2l: made of the original here, SHA-256 of this and of the original's: "
"""What stands between the picture and a digest in a remade file.

Another version of Pillow makes another file from a verified original than the data set's. Its own
digest stands at its end, so that it can be verified too.
"""

Image = NDArray[np.uint8]
# What a picture is called: its group (a split, or its own name), then perhaps a number.
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Picture:
    """One picture of a data set.

    Attributes:
        file: its path in the data set's folder, "train/0000.jpg".
        sha256: hex digest of that file.
        path: where its original is on SITE, quoted.
        source_sha256: hex digest of the original.
    """

    file: str
    sha256: str
    path: str
    source_sha256: str


@dataclass(frozen=True)
class Pictures:
    """The pictures of a data set, or of its stand-in. None has been read yet.

    Attributes:
        stand_in: what is used instead of the data set, for every caption; None if nothing is.
        publishable: whether pictures made from these may be published: only from the free ones
            (`bundled` has their licences, `bundled.ATTRIBUTION` what must be said).
        image: what the picture is called -> uint8 [rows, columns, RGB], verified, an array of the
            caller's own. KeyError: there is none of that name. UserError: its file is missing or
            corrupt, and its original cannot be fetched.
    """

    stand_in: str | None
    publishable: bool
    image: Callable[..., Image]


@dataclass(frozen=True)
class PictureDataset:
    """What a data set of pictures is, where its originals are, and what stands in for it.

    Attributes:
        name: in the registry, in records and messages; a plural.
        folder: of the files, in the data directory.
        pictures: returns what each picture is called -> the picture, groups in order.
        stand_in: what is used where the pictures cannot be fetched.
        stand_in_source: the packages that have it.
        free: what a picture is called -> the free picture that stands in for it.
        remake: original -> content of the file; raises SourceError. By default the same.
    """

    name: str
    folder: str
    pictures: Callable[[], dict[Key, Picture]]
    stand_in: str
    stand_in_source: str
    free: Callable[..., Image]
    remake: Callable[[bytes], bytes] = bytes

    @property
    def free_ones(self) -> Pictures:
        """The free pictures that stand in."""
        return Pictures(self.stand_in, True, self.free)

    def load(self, directory: Path) -> Pictures:
        """Open the pictures; if some are missing, they are fetched, or the stand-in is used.

        See `sources.Dataset`; each picture is read and verified when it is asked for.
        """
        folder, pictures = directory / self.folder, self.pictures()
        if not _has_all(folder, pictures.values()) and not has_note(folder):
            self.fetch(directory)
        real = _has_all(folder, pictures.values())
        remade = real and any(SEAL in (read(folder / p.file) or b"") for p in pictures.values())

        def image(*key: Any) -> Image:
            picture = pictures[key]  # of a stand-in too: KeyError
            return pixels(self._obtain(folder, picture)) if real else self.free(*key)

        stand_in = None if real else self.stand_in
        return Pictures(REMADE if remade else stand_in, not real, image)

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put all pictures into the folder, verified, or see that the stand-in is used.

        What is missing or corrupt is downloaded; a rerun asks only for what did not arrive. Where
        that fails, a note in the folder says that the stand-in is in use, and the network is left
        alone until the note is deleted. A corrupt file that cannot be mended is an error.

        See `sources.Dataset`. In the record, the digest of a group is the SHA-256 of its file; of
        several files, that of their digests (hex) one after the other; of a stand-in, that of its
        pixels.
        """
        folder, pictures = directory / self.folder, self.pictures()
        digests, corrupt = _verify_each(folder, pictures.values())
        for problem in corrupt.values():
            say(f"corrupt: {problem}")
        wanted = [picture for picture in pictures.values() if picture.file not in digests]
        if len(wanted) > len(corrupt) and has_note(folder):
            note = folder / NOTE
            say(f"a stand-in for the {self.name} is in use; delete {note} to try the sources again")
            return self._stand_in_record(pictures)
        source = "local"
        if wanted:
            prepare_folder(folder)
            say(f"fetching {len(wanted)} {self.name} (about 0.1 MB each) from {HOST}")
            try:
                self._fetch_each(wanted, folder)
            except SourceError as error:
                _, corrupt = _verify_each(folder, corrupt)  # some may have been mended
                if corrupt:
                    raise self._not_mended([*corrupt.values()], error) from error
                failure = f"{len(wanted)} of {len(pictures)} were missing; {HOST}: {error}"
                write_note(folder, self.name, self.stand_in, failure)
                return self._stand_in_record(pictures)
            source = f"{HOST} and local" if digests else HOST
            digests |= _verify_each(folder, wanted)[0]
        remade = any(digests[picture.file] != picture.sha256 for picture in pictures.values())
        if has_note(folder):  # else a read-only disk is left alone
            (folder / NOTE).unlink(missing_ok=True)
        groups: dict[str, list[str]] = {}
        for key, picture in pictures.items():
            groups.setdefault(key[0], []).append(digests[picture.file])
        return DatasetRecord(
            name=self.name,
            source=source,
            stand_in=REMADE if remade else None,
            digests={
                group: hashlib.sha256("".join(all_of).encode()).hexdigest()
                if len(all_of) > 1
                else all_of[0]
                for group, all_of in groups.items()
            },
        )

    def _stand_in_record(self, pictures: Iterable[Key]) -> DatasetRecord:
        groups: dict[str, Any] = {}
        for key in pictures:
            groups.setdefault(key[0], hashlib.sha256()).update(self.free(*key).data)
        digests = {group: digest.hexdigest() for group, digest in groups.items()}
        return DatasetRecord(self.name, self.stand_in_source, self.stand_in, digests)

    def _not_mended(self, problems: list[str], error: SourceError) -> UserError:
        others = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        return UserError(
            f"corrupt and not to be mended: {problems[0]}{others} ({HOST}: {error}); put the right "
            f"file there, or delete it, then run l2l data {self.name}"
        )

    def _obtain(self, folder: Path, picture: Picture) -> bytes:
        """One verified file, mended first if need be."""
        path = folder / picture.file
        try:
            content = _read(folder, picture)
            problem = f"{path} is missing"
        except CorruptError as error:
            content, problem = None, f"{path} is corrupt ({error})"
        if content is not None:
            return content
        say(f"{problem}; replacing it from {HOST}")
        prepare_folder(folder)
        try:
            content = self._download(picture)
        except SourceError as error:
            raise UserError(
                f"{problem} and cannot be fetched ({HOST}: {error}); put it there, or run l2l data "
                f"{self.name} where the network can be reached"
            ) from error
        _write(folder, picture, content)
        return content

    def _download(self, picture: Picture) -> bytes:
        return self.remake(download(f"{SITE}/{picture.path}", picture.source_sha256))

    def _fetch_each(self, wanted: list[Picture], folder: Path) -> None:
        """Download AT_ONCE at a time, with progress; each is kept as it arrives.

        Without a network this ends after the first AT_ONCE, within seconds.

        Raises:
            SourceError: the site no longer has one of them, or some did not arrive.
        """
        failures: list[TransientSourceError] = []
        progress = Progress(self.name, len(wanted), unit="picture")
        with contextlib.closing(progress), ThreadPoolExecutor(AT_ONCE) as pool:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                jobs = [pool.submit(self._download, picture) for picture in some]
                before = len(failures)
                for picture, job in zip(some, jobs, strict=True):
                    try:
                        _write(folder, picture, job.result())
                        progress.advance()
                    except TransientSourceError as error:
                        failures.append(error)
                tried = start + len(some)
                if len(failures) - before == len(some):
                    break
        if failures:
            raise SourceError(f"{len(failures)} of {tried} did not arrive: {failures[0]}")


def _has_all(folder: Path, pictures: Iterable[Picture]) -> bool:
    """Whether there are files for all pictures, right or wrong."""
    # isfile is false, too, where one may not look.
    return all(os.path.isfile(folder / picture.file) for picture in pictures)


def _verify_each(
    folder: Path, pictures: Iterable[Picture]
) -> tuple[dict[str, str], dict[Picture, str]]:
    """File -> SHA-256 of the right ones; picture -> what is wrong of the corrupt ones."""
    digests, corrupt = {}, {}
    for picture in pictures:
        try:
            content = _read(folder, picture)
        except CorruptError as error:
            corrupt[picture] = str(error)
        else:
            if content is not None:
                digests[picture.file] = hashlib.sha256(content).hexdigest()
    return digests, corrupt


def _read(folder: Path, picture: Picture) -> bytes | None:
    """The picture in a verified file, without a seal; None if the file is missing.

    Raises:
        CorruptError: it is neither the data set's file nor a remade one.
    """
    content = read(folder / picture.file)
    if content is None:
        return None
    own, seal, digest = content.rpartition(SEAL)
    if seal and _seal(own, picture) == digest:
        return own
    verify(str(folder / picture.file), content, picture.sha256)
    return content


def _write(folder: Path, picture: Picture, content: bytes) -> None:
    """Write a file made from its verified original, with a seal if it is a remade one."""
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        content += SEAL + _seal(content, picture)
    write_bytes(folder / picture.file, content)


def _seal(content: bytes, picture: Picture) -> bytes:
    """The digest of a remade file: of its content and of the original that it was made from."""
    return hashlib.sha256(content + picture.source_sha256.encode()).hexdigest().encode()
