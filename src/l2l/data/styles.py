"""The six style pictures of Neural Art, and the record of where they came from.

From the user's own folder; else from two public repositories at fixed commits, which could not be
compared with the local files when this was written: the digest decides; else pictures inside
scikit-image stand in for all six, and whatever is made from those says so. The paintings are old,
their photographs not always free: neither they nor pictures made from them are committed.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data import stand_in_note
from l2l.data.array_file import CorruptError
from l2l.data.bundled import bundled_picture
from l2l.data.directory import ENVIRONMENT_VARIABLE, data_directory
from l2l.data.folder import prepare_folder
from l2l.data.local_file import read_verified, say, write_or_explain
from l2l.data.record import DataSet, DatasetRecord
from l2l.data.sources import SourceError
from l2l.data.web import download
from l2l.errors import UserError

NAME = "raw.githubusercontent.com"
SITE = f"https://{NAME}"
FAST = "lengstrom/fast-style-transfer/eb413b348902be82efc20c1e347e96c1b9e4a7fd/examples/style"
NEURAL = "jcjohnson/fast-neural-style/2cdacb296950ca6afc68593801a820ce5a102620/images/styles"
COMMAND = "l2l data styles"
STAND_IN = "pictures inside scikit-image"


@dataclass(frozen=True)
class Style:
    """One of the pictures.

    Attributes:
        sha256: hex digest of its file, NAME.jpg.
        path: where the file is on SITE.
        stand_in: the picture of bundled.PICTURES that stands in for it.
    """

    sha256: str
    path: str
    stand_in: str


PAINTINGS = {
    "starry_night": Style(
        "0592ab0f7b51b3ce72608a95e53880bd93971e5b48f93a0ce8dfd3cbccf3d098",
        f"{NEURAL}/starry_night.jpg",
        "immunohistochemistry",
    ),
    "wave": Style(
        "14bcf58a39b7095168f27756d76d0c615bb8954acc5eae9e62c66a9684c2ee2b",
        f"{FAST}/wave.jpg",
        "hubble_deep_field",
    ),
    "udnie": Style(
        "c3d3d4b9e325b485820d1a91df3bad591c2bab86919412e9f1b424e862cf204a",
        f"{FAST}/udnie.jpg",
        "brick",
    ),
    "the_scream": Style(
        "f3075cddeb974a9ee1d6418f7f33fd05185a7ac7dcb4288bd2805d499a9dcaee",
        f"{FAST}/the_scream.jpg",
        "retina",
    ),
    "composition_vii": Style(
        "8f992ed4aecd6dd56972d7bc8166761de7c94e670ee6effa8fd05f3daeb33409",
        f"{NEURAL}/composition_vii.jpg",
        "gravel",
    ),
    "shipwreck": Style(
        "4f7cf34e3cd4a5daaf3f421f059ca9a01aaa2a3afd7243d6670c9c8bc001a213",
        f"{FAST}/the_shipwreck_of_the_minotaur.jpg",
        "grass",
    ),
}
NAMES = tuple(PAINTINGS)


@dataclass(frozen=True)
class Styles:
    """Six pictures to take the style from, read when asked for.

    Attributes:
        stand_in: what is used in their place, for every caption; None if it is they themselves.
        publishable: whether pictures made from them may be published (only from the stand-ins).
        read: name -> image; use `image`.
    """

    stand_in: str | None
    publishable: bool
    read: Callable[[str], NDArray[np.uint8]]

    def image(self, name: str) -> NDArray[np.uint8]:
        """One picture, verified.

        Args:
            name: one of NAMES.

        Returns:
            uint8 [rows, columns, RGB], as large as its file.

        Raises:
            KeyError: no such name.
            UserError: its file is missing or corrupt, and the source cannot be reached.
        """
        if name not in PAINTINGS:
            raise KeyError(name)
        return self.read(name)


def load_styles(directory: Path | None = None) -> Styles:
    """Open the styles; if some are missing, they are fetched first, or the stand-ins are used.

    Args:
        directory: the data directory, which holds styles/; None for `data_directory(None)`.

    Returns:
        The styles. None has been read: each is verified when it is asked for.

    Raises:
        UserError: they have to be fetched, and the directory cannot be written.
    """
    directory = data_directory(None) if directory is None else directory
    folder = directory / "styles"
    if not _complete(folder) and not stand_in_note.noted(folder):
        fetch_styles(directory)
    if not _complete(folder):
        return Styles(STAND_IN, True, lambda name: bundled_picture(PAINTINGS[name].stand_in).copy())
    return Styles(None, False, lambda name: _read(folder, name))


def fetch_styles(directory: Path) -> DatasetRecord:
    """See to it that the six files lie in <directory>/styles, verified, or stand-ins are used.

    Where a missing file cannot be fetched, a note in the folder says that the stand-ins are in use,
    and the network is left alone until the note is deleted.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/styles.json; the digests are those of the files, of
        stand-ins those of their pixels.

    Raises:
        UserError: a file that is there is corrupt and cannot be mended, or the directory cannot be
            written.
    """
    folder = directory / "styles"
    if not _complete(folder) and stand_in_note.noted(folder):
        say(
            f"the styles' stand-ins are in use; delete {folder / stand_in_note.FILE} to try the "
            "sources again"
        )
        return _stand_in_record()
    sources = set()
    try:
        # Those that are there first: a corrupt one is an error, whether or not others are missing.
        for name in sorted(NAMES, key=lambda name: not os.path.isfile(_file(folder, name))):
            sources.add(_obtain(folder, name)[1])
    except _MissingError as error:
        stand_in_note.take_note(folder, "the styles", STAND_IN, str(error))
        return _stand_in_record()
    stand_in_note.drop_note(folder)
    source = " and ".join(sorted(sources, reverse=True))
    digests = {name: style.sha256 for name, style in PAINTINGS.items()}
    return DatasetRecord(name="styles", source=source, stand_in=None, digests=digests)


class _MissingError(Exception):
    """A file is not there, and why it cannot be fetched."""


def _complete(folder: Path) -> bool:
    return all(os.path.isfile(_file(folder, name)) for name in NAMES)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jpg"


def _obtain(folder: Path, name: str) -> tuple[bytes, str]:
    """One verified file, fetched if need be, and its source."""
    path, style = _file(folder, name), PAINTINGS[name]
    missing, problem = True, f"{path.name} is missing"
    try:
        content = read_verified(path, style.sha256)
        if content is not None:
            return content, "local"
    except CorruptError as error:
        missing, problem = False, f"corrupt: {error}"
    say(f"{problem}; fetching it from {NAME}")
    prepare_folder(
        folder, f"make it, or set {ENVIRONMENT_VARIABLE} to a folder that can be written"
    )
    try:
        content = download(f"{SITE}/{style.path}", style.sha256)
    except SourceError as error:
        failure = f"{problem}; {NAME}: {error}"
        if missing:
            raise _MissingError(failure) from error
        raise UserError(
            f"{failure}; put the right file there, or delete it, then run {COMMAND}"
        ) from error
    write_or_explain(path, content)
    return content, NAME


def _read(folder: Path, name: str) -> NDArray[np.uint8]:
    from PIL import Image  # comes with torchvision

    try:
        content, _ = _obtain(folder, name)
    except _MissingError as error:
        raise UserError(f"{error}; it was there before: run {COMMAND}") from error
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def _stand_in_record() -> DatasetRecord:
    pixels = {name: bundled_picture(style.stand_in) for name, style in PAINTINGS.items()}
    return DatasetRecord(
        name="styles",
        source="scikit-image",
        stand_in=STAND_IN,
        digests={name: hashlib.sha256(image.data).hexdigest() for name, image in pixels.items()},
    )


STYLES = DataSet("styles", fetch_styles, load_styles)
