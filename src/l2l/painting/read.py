"""A user's picture file as RGB, whatever it is: upright, without transparency, scaled down."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from l2l.errors import UserError

SMALLEST = 16
"""Pixels of a side that the features of VGG-16 need."""
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def read_picture(path: Path, size: int) -> Image.Image:
    """Read a picture.

    Transparent parts become white, grey and palette pictures RGB, 16 bits 8; the rotation that a
    camera noted (EXIF) is applied; of an animation the first picture is taken.

    Args:
        path: a file of any format that Pillow reads.
        size: the longer side, in pixels; a smaller picture is left as it is.

    Returns:
        RGB, at least SMALLEST pixels a side.

    Raises:
        UserError: it is missing, no picture, damaged, or too small or narrow.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags that do not matter here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                upright = ImageOps.exif_transpose(file)
                picture = _rgb(upright)
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except UnidentifiedImageError:
        raise UserError(f"{path} is no picture that can be read (PNG, JPEG, WebP, ...)") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(f"{path} has too many pixels: scale it down first") from None
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
    if picture.mode in SIXTEEN_BITS:
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {picture.mode}; save it with 8 bits a channel")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        picture = Image.alpha_composite(white, opaque)
    return picture.convert("RGB")
