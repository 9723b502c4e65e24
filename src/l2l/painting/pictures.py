"""Picture files of `l2l paint`: reading a user's pictures, writing the result and its course."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from l2l.errors import UserError
from l2l.files import write_atomically, write_bytes

Frames = dict[int, Image.Image]
"""Step -> what the picture looked like."""
SMALLEST = 16
"""Pixels of a side that the features of VGG-16 need."""
PIXELS = Image.MAX_IMAGE_PIXELS = 200_000_000
"""The largest pictures that phones make have so many; Pillow's own limit is 89 million."""
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
MILLISECONDS = 100
LAST_MILLISECONDS = 2500
GAP = 4
"""Pixels between the pictures of a strip."""
STRIP = (0, 1, 4, 16, 64)
"""Steps that a strip shows, besides the last."""


def read_picture(path: Path, size: int) -> Image.Image:
    """Read a picture.

    Transparent parts become white, 16 bits become 8, all colour spaces become sRGB, by the colour
    profile in the file if there is one. The rotation that a camera noted (EXIF) is applied. An
    animation gives its first picture.

    Args:
        path: a file of any format that Pillow reads.
        size: the longer side, in pixels; a smaller picture is left as it is.

    Returns:
        RGB, at least SMALLEST pixels a side.

    Raises:
        UserError: it is missing, no picture, damaged, too small or narrow, or of above PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags that do not matter here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                file.draft(None, (2 * size, 2 * size))  # of a large JPEG, a half, fourth or eighth
                upright = ImageOps.exif_transpose(file)
                picture = _rgb(upright)
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except UnidentifiedImageError:
        hint = "; convert HEIC to JPEG first" if path.suffix.lower() in (".heic", ".heif") else ""
        raise UserError(
            f"{path} is no picture that can be read (PNG, JPEG, WebP, ...){hint}"
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(
            f"{path} has more than {PIXELS // 1_000_000} megapixels: scale it down first"
        ) from None
    except Exception as error:  # of any kind: a damaged file can be anything to a decoder
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise UserError(
            f"{path} cannot be read ({reason or type(error).__name__}): give a good copy or "
            "another picture"
        ) from error
    scale = min(1, size / max(picture.size))
    width, height = (round(scale * side) for side in picture.size)
    if min(width, height) < SMALLEST:
        raise UserError(
            f"{path} would be {width} x {height} pixels; at least {SMALLEST} x {SMALLEST} are "
            "needed: take a larger or less narrow picture, or a larger --size"
        )
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _rgb(picture: Image.Image) -> Image.Image:
    """The picture in sRGB, on white."""
    profile = picture.info.get("icc_profile")
    if picture.mode in SIXTEEN_BITS:
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {picture.mode}; save it with 8 bits a channel")
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    if picture.mode not in ("L", "CMYK"):
        picture = picture.convert("L" if picture.mode == "LA" else "RGB")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError):  # it is damaged, or of other channels
            source, target = io.BytesIO(profile), ImageCms.createProfile("sRGB")
            made = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            picture = made or picture
    picture = picture.convert("RGB")
    if alpha is None:
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=alpha)
    return white


def check_place(path: Path, suffixes: tuple[str, ...] = FORMATS) -> None:
    """Check that a picture can be written under this name, before minutes are spent on it.

    Args:
        path: of the picture.
        suffixes: the allowed ones.

    Raises:
        UserError: it has another format, is a folder, or its folder is missing or cannot be
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
