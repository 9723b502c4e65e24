"""A dataset's files on disk: looked for in the user's folder, else fetched, always verified."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.array_file import ArrayFile, CorruptError
from l2l.data.directory import ENVIRONMENT_VARIABLE
from l2l.data.folder import prepare_folder
from l2l.data.local_file import say
from l2l.data.sources import Source, SourceError
from l2l.errors import UserError
from l2l.files import write_bytes


@dataclass(frozen=True)
class Dataset:
    """What `obtain` has to know of a dataset.

    Attributes:
        name: of its folder in the data directory.
        title: its name in messages.
        arrays: array name -> the file that holds it.
        places: where a file is looked for in the folder, in this order; "{}" stands for its name,
            and ".gz" at the end for a gzipped one. What is fetched is written to the first.
        places_in_words: the same for a person, after a list of the files.
        sources: where the files are fetched from, in this order.
    """

    name: str
    title: str
    arrays: Mapping[str, ArrayFile]
    places: tuple[str, ...]
    places_in_words: str
    sources: tuple[Source, ...]


def obtain(dataset: Dataset, directory: Path) -> tuple[dict[str, NDArray[np.uint8]], str]:
    """See to it that the files lie in <directory>/<dataset>, verified, and read them.

    What is missing or corrupt is fetched from the first good source and written; a corrupt file is
    named on stderr and replaced.

    Args:
        dataset: what to look for.
        directory: the data directory; made if only its last part is missing.

    Returns:
        Array name -> read-only uint8 array, and where they came from, in words.

    Raises:
        UserError: no source has the files, or the directory cannot be written.
    """
    folder = directory / dataset.name
    contents: dict[str, bytes] = {}
    to_write: dict[Path, str] = {}
    problems = []
    for name, array in dataset.arrays.items():
        places = [folder / place.format(array.file) for place in dataset.places]
        content, corrupt = _read_local(places, array)
        to_write |= dict.fromkeys(corrupt, name)
        if content is not None:
            contents[name] = content
        else:
            problems.append(f"{array.file} is {'corrupt' if corrupt else 'missing'}")
            if not corrupt:
                to_write[places[0]] = name
    source = "local"
    if to_write:
        prepare_folder(
            folder, f"make it, or set {ENVIRONMENT_VARIABLE} to a folder that can be written"
        )
    if problems:
        fetched, network = _fetch(dataset, folder, problems)
        source = f"{network} and local" if contents else network
        contents = fetched | contents
    for path, name in to_write.items():
        _write(path, contents[name])
    return {name: array.parse(contents[name]) for name, array in dataset.arrays.items()}, source


def _read_local(places: list[Path], array: ArrayFile) -> tuple[bytes | None, list[Path]]:
    """The verified content of one file, not compressed (None: not there), and bad copies."""
    corrupt = []
    for path in places:
        try:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            array.decode(content)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (CorruptError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            say(f"{path} is corrupt ({error}); replacing it from the next source")
            corrupt.append(path)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror or error}") from error
        else:
            return content, corrupt
    return None, corrupt


def _fetch(dataset: Dataset, folder: Path, problems: list[str]) -> tuple[dict[str, bytes], str]:
    """All files from the first network source whose bytes verify, and that source's name."""
    failures = [f"local: {', '.join(problems)}"]
    for source in dataset.sources:
        say(f"fetching {dataset.title} ({source.megabytes} MB) from {source.name}")
        try:
            files = source.read()
            contents = {name: files[array.file] for name, array in dataset.arrays.items()}
            for name, array in dataset.arrays.items():
                array.decode(contents[name])
        except (SourceError, CorruptError) as error:
            say(f"{source.name} failed: {error}")
            failures.append(f"{source.name}: {error}")
        else:
            return contents, source.name
    names = ", ".join(array.file for array in dataset.arrays.values())
    raise UserError(
        f"{dataset.title} is not in {folder} and no source has it ({'; '.join(failures)}); to "
        f"provide it by hand, put {names} {dataset.places_in_words} into {folder}, or set "
        f"{ENVIRONMENT_VARIABLE} to a folder whose {dataset.name}/ holds them"
    )


def _write(path: Path, content: bytes) -> None:
    try:
        # mtime 0: the same bytes whenever the file is made.
        write_bytes(path, gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
