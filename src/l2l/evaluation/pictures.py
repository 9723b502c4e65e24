"""Files of the pictures that tests of Neural Art make, for figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor

from l2l.errors import UserError
from l2l.files import write_bytes
from l2l.problems import StyledPictures

PUBLISHABLE = "publishable"


def write_pictures(path: Path, pictures: Mapping[str, StyledPictures], publishable: bool) -> None:
    """Write the pictures of each family: tensors <family>/content, /styled and /style.

    Args:
        path: of the safetensors file, which is written atomically.
        pictures: family -> its pictures, with styles of one size.
        publishable: whether the pictures may be published; the file's metadata say so.
    """
    tensors: dict[str, Tensor] = {}
    for family, each in pictures.items():
        tensors[f"{family}/content"] = each.content.contiguous()
        tensors[f"{family}/styled"] = each.styled.contiguous()
        tensors[f"{family}/style"] = torch.stack(each.style)
    write_bytes(path, as_bytes(tensors, {PUBLISHABLE: str(publishable)}))


def may_be_published(path: Path) -> bool:
    """Whether a file says that its pictures may be published."""
    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get(PUBLISHABLE) == str(True)


def read_pictures(path: Path) -> dict[str, StyledPictures]:
    """The pictures in a file: family -> its pictures.

    Raises:
        UserError: the file is missing or damaged.
    """
    if not path.exists():
        raise UserError(f"{path} is missing: run l2l evaluate first")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run l2l evaluate") from error
    families = dict.fromkeys(name.rpartition("/")[0] for name in tensors)
    return {
        family: StyledPictures(
            tensors[f"{family}/content"],
            tensors[f"{family}/styled"],
            tuple(tensors[f"{family}/style"]),
        )
        for family in families
    }
