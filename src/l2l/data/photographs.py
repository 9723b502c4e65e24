"""The photographs that Neural Art paints: small pictures, and the record of where they came from.

From the user's own folder; else from their originals' public repositories; else crops of the free
photographs inside installed packages stand in for them, and whatever is made from those says so.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data import photographs_stand_in, stand_in_note
from l2l.data.array_file import CorruptError
from l2l.data.directory import ENVIRONMENT_VARIABLE, data_directory
from l2l.data.folder import prepare_folder
from l2l.data.local_file import say
from l2l.data.photographs_folder import PhotographsFolder
from l2l.data.photographs_manifest import COUNTS, Photograph, manifest
from l2l.data.photographs_source import NAME, fetch_each, fetch_photograph
from l2l.data.record import DataSet, DatasetRecord
from l2l.data.sources import SourceError
from l2l.errors import UserError

FOLDER = "photos128"
REMADE = "the same photographs, cropped and scaled anew"
COMMAND = "l2l data photographs"
REMEDY = f"make it, or set {ENVIRONMENT_VARIABLE} to a folder that can be written"


@dataclass(frozen=True)
class Photographs:
    """1,800 training, 20 validation and 100 test photographs, read when asked for.

    Attributes:
        stand_in: what is used in their place, for every caption; None if it is they themselves.
        publishable: whether pictures made from them may be published (only from crops that stand
            in; bundled.py has the licences, bundled.ATTRIBUTION what must be said).
        read: (split, index) -> image; use `image`.
    """

    stand_in: str | None
    publishable: bool
    read: Callable[[str, int], NDArray[np.uint8]]

    def image(self, split: str, index: int) -> NDArray[np.uint8]:
        """One photograph, verified.

        Args:
            split: "train", "validation" or "test".
            index: from 0, below COUNTS[split].

        Returns:
            uint8 [128, 128, RGB].

        Raises:
            KeyError, IndexError: no such split or index.
            UserError: its file is missing or corrupt, and the source cannot be reached.
        """
        if not 0 <= index < COUNTS[split]:
            raise IndexError(f"{split} photograph {index}: there are {COUNTS[split]}")
        return self.read(split, index)


def load_photographs(directory: Path | None = None) -> Photographs:
    """Open the photographs; if some are missing, they are fetched first, or a stand-in is used.

    Args:
        directory: the data directory, which holds photos128/; None for `data_directory(None)`.

    Returns:
        The photographs. None has been read: each is verified when it is asked for.

    Raises:
        UserError: they have to be fetched, and the directory cannot be written.
    """
    directory = data_directory(None) if directory is None else directory
    folder, splits = PhotographsFolder(directory / FOLDER), manifest()
    if not _complete(folder, splits) and not stand_in_note.noted(folder.path):
        fetch_photographs(directory)
    if not _complete(folder, splits):
        return Photographs(photographs_stand_in.STAND_IN, True, photographs_stand_in.crop)
    stand_in = REMADE if folder.remade() else None
    return Photographs(
        stand_in, False, lambda split, index: _decode(_obtain(folder, splits[split][index]))
    )


def fetch_photographs(directory: Path) -> DatasetRecord:
    """See to it that all photographs lie in <directory>/photos128, verified, or a stand-in is used.

    What is missing or corrupt is downloaded; a rerun asks only for what did not arrive. Where that
    fails, a note in the folder says that the stand-in is in use, and the network is left alone
    until the note is deleted.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/photographs.json. The digest of a split is the
        SHA-256 of its files' SHA-256 (hex) one after the other, in order; of a stand-in's split,
        that of its pixels.

    Raises:
        UserError: a file that is there is corrupt and cannot be mended, or the directory cannot be
            written.
    """
    folder, splits = PhotographsFolder(directory / FOLDER), manifest()
    everything = [photograph for split in splits.values() for photograph in split]
    digests, corrupt = _verify(folder, everything)
    for problem in corrupt.values():
        say(f"corrupt: {problem}")
    wanted = [photograph for photograph in everything if photograph.file not in digests]
    source = "local"
    if wanted:
        if len(wanted) > len(corrupt) and stand_in_note.noted(folder.path):
            note = folder.path / stand_in_note.FILE
            say(f"the photographs' stand-in is in use; delete {note} to try the sources again")
            return _stand_in_record()
        prepare_folder(folder.path, REMEDY)
        say(f"fetching {len(wanted)} photographs (about 0.1 MB each) from {NAME}")
        try:
            fetch_each(wanted, folder.keep)
        except SourceError as error:
            _, corrupt = _verify(folder, corrupt)  # some may have been mended
            if corrupt:
                others = f" and {len(corrupt) - 1} more" if len(corrupt) > 1 else ""
                raise UserError(
                    f"corrupt and not to be mended: {next(iter(corrupt.values()))}{others} "
                    f"({NAME}: {error}); put the right file there, or delete it, then run {COMMAND}"
                ) from error
            failure = f"local: {len(wanted)} of {len(everything)} were missing; {NAME}: {error}"
            stand_in_note.take_note(
                folder.path, "the photographs", photographs_stand_in.STAND_IN, failure
            )
            return _stand_in_record()
        source = f"{NAME} and local" if digests else NAME
        digests |= _verify(folder, wanted)[0]
    remade = {p.file: digests[p.file] for p in everything if digests[p.file] != p.sha256}
    folder.set_remade(remade)
    stand_in_note.drop_note(folder.path)
    return DatasetRecord(
        name="photographs",
        source=source,
        stand_in=REMADE if remade else None,
        digests={
            split: hashlib.sha256("".join(digests[p.file] for p in all_of).encode()).hexdigest()
            for split, all_of in splits.items()
        },
    )


def _complete(folder: PhotographsFolder, splits: dict[str, list[Photograph]]) -> bool:
    return all(folder.has(photograph) for split in splits.values() for photograph in split)


def _verify(
    folder: PhotographsFolder, photographs: Iterable[Photograph]
) -> tuple[dict[str, str], dict[Photograph, str]]:
    """File -> SHA-256 of those that are right, and of the corrupt ones what is wrong."""
    digests, corrupt = {}, {}
    for photograph in photographs:
        try:
            content = folder.read(photograph)
        except CorruptError as error:
            corrupt[photograph] = str(error)
        else:
            if content is not None:
                digests[photograph.file] = hashlib.sha256(content).hexdigest()
    return digests, corrupt


def _obtain(folder: PhotographsFolder, photograph: Photograph) -> bytes:
    """One verified file, mended first if need be."""
    path = folder.path / photograph.file
    try:
        content = folder.read(photograph)
        problem = f"{path} is missing"
    except CorruptError as error:
        content, problem = None, f"{path} is corrupt ({error})"
    if content is not None:
        return content
    say(f"{problem}; replacing it from {NAME}")
    prepare_folder(folder.path, REMEDY)
    try:
        content = fetch_photograph(photograph)
    except SourceError as error:
        raise UserError(
            f"{problem} and cannot be had ({NAME}: {error}); put it there, or run {COMMAND} where "
            "the network can be reached"
        ) from error
    folder.keep(photograph, content)
    return content


def _decode(content: bytes) -> NDArray[np.uint8]:
    from PIL import Image  # comes with torchvision

    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def _stand_in_record() -> DatasetRecord:
    digests = {}
    for split, count in COUNTS.items():
        pixels = hashlib.sha256()
        for index in range(count):
            pixels.update(photographs_stand_in.crop(split, index).data)
        digests[split] = pixels.hexdigest()
    return DatasetRecord(
        name="photographs",
        source="scikit-image and scikit-learn",
        stand_in=photographs_stand_in.STAND_IN,
        digests=digests,
    )


PHOTOGRAPHS = DataSet("photographs", fetch_photographs, load_photographs)
