"""MNIST on disk and in memory: looked for in the user's folder, else fetched, always verified."""

from __future__ import annotations

import gzip
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from l2l.data.directory import ENVIRONMENT_VARIABLE, data_directory
from l2l.data.folder import prepare_folder
from l2l.data.idx import decode_idx
from l2l.data.mnist_arrays import ARRAYS, FILE_NAMES, CorruptError
from l2l.data.mnist_sources import NETWORK_SOURCES
from l2l.data.record import DatasetRecord
from l2l.data.sources import SourceError
from l2l.errors import UserError
from l2l.files import write_bytes


@dataclass(frozen=True, eq=False)
class Mnist:
    """The dataset on the CPU.

    Attributes:
        train_images: uint8 [60000, 28, 28], 0 (background) to 255.
        train_labels: int64 [60000], 0 to 9.
        test_images: uint8 [10000, 28, 28].
        test_labels: int64 [10000].
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load_mnist(directory: Path | None = None) -> Mnist:
    """Load MNIST, verified by digest; what is missing or corrupt is fetched first.

    Args:
        directory: the data directory, which holds mnist/; None for `data_directory(None)`.

    Returns:
        The four tensors.

    Raises:
        UserError: a file is missing and no source has it, or the directory cannot be written.
    """
    arrays, _ = _obtain(data_directory(None) if directory is None else directory)
    return Mnist(
        # A copy, because torch has no read-only tensors and the decoded bytes are read-only.
        train_images=torch.from_numpy(arrays["train_images"].copy()),
        train_labels=torch.from_numpy(arrays["train_labels"].astype(np.int64)),
        test_images=torch.from_numpy(arrays["test_images"].copy()),
        test_labels=torch.from_numpy(arrays["test_labels"].astype(np.int64)),
    )


def fetch_mnist(directory: Path) -> DatasetRecord:
    """See to it that the four files lie in <directory>/mnist, verified, from the first good source.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/mnist.json.

    Raises:
        UserError: no source has the files, or the directory cannot be written.
    """
    _, source = _obtain(directory)
    digests = {name: array.sha256 for name, array in ARRAYS.items()}
    return DatasetRecord(name="mnist", source=source, stand_in=None, digests=digests)


def _obtain(directory: Path) -> tuple[dict[str, NDArray[np.uint8]], str]:
    """The four verified arrays and where they came from; mends the folder on the way."""
    folder = directory / "mnist"
    contents: dict[str, bytes] = {}
    to_write: dict[Path, str] = {}
    problems = []
    for name, array in ARRAYS.items():
        content, corrupt = _read_local(folder, name)
        to_write |= dict.fromkeys(corrupt, name)
        if content is not None:
            contents[name] = content
        else:
            problems.append(f"{array.file} is {'corrupt' if corrupt else 'missing'}")
            if not corrupt:
                to_write[folder / array.file] = name
    source = "local"
    if to_write:
        prepare_folder(
            folder, f"make it, or set {ENVIRONMENT_VARIABLE} to a folder that can be written"
        )
    if problems:
        fetched, network = _fetch(folder, problems)
        source = f"{network} and local" if contents else network
        contents = fetched | contents
    for path, name in to_write.items():
        _write(path, contents[name])
    return {name: decode_idx(contents[name]) for name in ARRAYS}, source


def _read_local(folder: Path, name: str) -> tuple[bytes | None, list[Path]]:
    """The verified idx bytes of one array, plain or gzipped (None: not there), and bad copies."""
    corrupt = []
    plain = folder / ARRAYS[name].file
    for path in (plain, plain.with_name(f"{plain.name}.gz")):
        try:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            ARRAYS[name].decode(content)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (CorruptError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            _say(f"{path} is corrupt ({error}); replacing it from the next source")
            corrupt.append(path)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror or error}") from error
        else:
            return content, corrupt
    return None, corrupt


def _fetch(folder: Path, problems: list[str]) -> tuple[dict[str, bytes], str]:
    """All four files from the first network source whose bytes verify, and that source's name."""
    failures = [f"local: {', '.join(problems)}"]
    for source in NETWORK_SOURCES:
        _say(f"fetching MNIST from {source.name}")
        try:
            files = source.read()
            contents = {name: files[array.file] for name, array in ARRAYS.items()}
            for name, array in ARRAYS.items():
                array.decode(contents[name])
        except (SourceError, CorruptError) as error:
            _say(f"{source.name} failed: {error}")
            failures.append(f"{source.name}: {error}")
        else:
            return contents, source.name
    raise UserError(
        f"MNIST is not in {folder} and no source has it ({'; '.join(failures)}); to provide it by "
        f"hand, put {', '.join(FILE_NAMES)} (plain or .gz) into {folder}, or set "
        f"{ENVIRONMENT_VARIABLE} to a folder whose mnist/ holds them"
    )


def _write(path: Path, content: bytes) -> None:
    try:
        # mtime 0: the same bytes whenever the file is made.
        write_bytes(path, gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def _say(message: str) -> None:
    print(f"l2l: {message}", file=sys.stderr)
