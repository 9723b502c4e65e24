"""The painted picture, and its course as a GIF or as a strip."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from l2l.errors import UserError
from l2l.files import write_atomically, write_bytes
from l2l.painting.paint import Frames

FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
MILLISECONDS = 100
LAST_MILLISECONDS = 2500
GAP = 4
"""Pixels between the pictures of a strip."""
STRIP = (0, 1, 4, 16, 64)
"""Steps that a strip shows, besides the last."""


def check_place(path: Path, suffixes: tuple[str, ...] = FORMATS) -> None:
    """See that a picture can be written under this name, before minutes are spent on it.

    Args:
        path: where it is to go.
        suffixes: the ones allowed.

    Raises:
        UserError: of another format, a folder, or in a folder that is not there or not to be
            written.
    """
    if path.suffix.lower() not in suffixes:
        raise UserError(f"{path}: give it a name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give the result another name")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UserError(f"{path}: there is no folder {folder}")
    try:
        write_bytes(folder / f".probe.{os.getpid()}", b"")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    (folder / f".probe.{os.getpid()}").unlink(missing_ok=True)


def write_picture(path: Path, picture: Image.Image) -> None:
    """Write a picture in the format of its suffix, whole or not at all."""
    write_atomically(path, lambda temporary: picture.save(temporary, quality=95))


def write_gif(path: Path, frames: Frames) -> None:
    """Write the course as a GIF that plays for ever and rests at its end."""
    pictures = [frames[step] for step in sorted(frames)]
    durations = [MILLISECONDS] * (len(pictures) - 1) + [LAST_MILLISECONDS]

    def save(temporary: Path) -> None:
        pictures[0].save(
            temporary, save_all=True, append_images=pictures[1:], duration=durations, loop=0
        )

    write_atomically(path, save)


def strip(frames: Frames, style: Image.Image) -> Image.Image:
    """The photograph, the picture after some steps up to the last, and the style, side by side."""
    last = max(frames)
    shown = [frames[step] for step in sorted({*STRIP, last} & set(frames))]
    height = shown[0].height
    scaled = style.resize((max(1, round(style.width * height / style.height)), height))
    pictures = [*shown, scaled]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    row = Image.new("RGB", (width, height), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + GAP
    return row
