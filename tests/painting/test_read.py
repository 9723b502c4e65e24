"""Pictures as users have them: upright, opaque, eight bits, or one clear line."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from l2l.errors import UserError
from l2l.painting.pictures import read_picture

RED, BLUE = (255, 0, 0), (0, 0, 255)


def _half_and_half(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def _near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(picture.getpixel(place), colour, strict=True)) < 8


def test_the_longer_side_is_scaled_down_and_never_up(tmp_path: Path) -> None:
    _half_and_half(101, 67).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", 50).size == (50, 33)
    assert read_picture(tmp_path / "a.png", 500).size == (101, 67)


def test_the_rotation_that_a_camera_noted_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    _half_and_half().save(tmp_path / "turned.jpg", exif=exif, quality=95)
    upright = read_picture(tmp_path / "turned.jpg", 40)
    assert upright.size == (20, 40)
    assert _near(upright, (10, 2), RED)
    assert _near(upright, (10, 37), BLUE)


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("P", "gif"), ("LA", "png")])
def test_what_is_transparent_becomes_white(tmp_path: Path, mode: str, suffix: str) -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 10, 20))
    path = tmp_path / f"half.{suffix}"
    (picture if mode == "P" else picture.convert(mode)).save(path)
    read = read_picture(path, 20)
    assert read.mode == "RGB"
    assert _near(read, (2, 10), (255, 255, 255))
    assert _near(read, (17, 10), (0, 0, 0))


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr", "HSV"])
def test_grey_and_other_colour_spaces_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png")
    picture = Image.new("RGB", (20, 20), (200, 200, 200))
    (picture if mode == "HSV" else picture.convert(mode)).save(path)
    read = read_picture(path, 20)
    assert read.mode == "RGB"
    if mode != "1":
        assert _near(read, (10, 10), (200, 200, 200))


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    values = np.full((20, 20), 200 * 257, dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert _near(read_picture(tmp_path / "deep.png", 20), (10, 10), (200, 200, 200))


def _swapping_profile() -> bytes:
    """An ICC profile like sRGB, but what it calls red is blue, and blue red."""
    sources = {b"bXYZ": (0.436, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971)}
    sources |= {b"rXYZ": (0.1431, 0.0606, 0.7141), b"wtpt": (0.9642, 1, 0.8249)}
    data = {
        tag: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))
        for tag, values in sources.items()
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    data |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, body = struct.pack(">I", len(data)), b""
    start = 128 + 4 + 12 * len(data)
    for tag, content in data.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, *(b"mntr", b"RGB ", b"XYZ ")
    )
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_those_of_the_profile_in_the_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (20, 20), RED).convert(mode).save(path, icc_profile=_swapping_profile())
    assert _near(read_picture(path, 20), (10, 10), BLUE)


def test_a_profile_that_does_not_fit_is_left_out(tmp_path: Path) -> None:
    for name, mode, profile in (
        ("grey", "L", _swapping_profile()),
        ("cmyk", "CMYK", _swapping_profile()),
        ("damaged", "RGB", b"nothing"),
    ):
        path = tmp_path / f"{name}.jpg"
        picture = Image.new("RGB", (20, 20), (90, 90, 90)).convert(mode)
        picture.save(path, icc_profile=profile)
        assert _near(read_picture(path, 20), (10, 10), (90, 90, 90))


def test_a_photograph_of_200_megapixels_is_read(tmp_path: Path) -> None:
    Image.new("L", (16_320, 12_240), 200).save(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg", 64)
    assert picture.size == (64, 48)
    assert _near(picture, (10, 10), (200, 200, 200))


def test_a_heic_picture_gets_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(UserError, match="convert HEIC to JPEG first"):
        read_picture(tmp_path / "a.HEIC", 64)


def test_of_an_animation_the_first_picture_is_taken(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (20, 20), RED), Image.new("RGB", (20, 20), BLUE)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert _near(read_picture(tmp_path / "a.gif", 20), (10, 10), RED)


def test_what_is_no_picture_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    _half_and_half(300, 300).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    noisy = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    noisy.save(tmp_path / "noisy.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "noisy.jpg").read_bytes()[:1500])
    (tmp_path / "damaged.png").write_bytes(content[:60] + b"?" * 40 + content[100:])
    (tmp_path / "folder.png").mkdir()
    for name in ("missing", "text", "empty", "cut", "damaged", "folder"):
        path = tmp_path / (f"{name}.jpg" if name == "cut" else f"{name}.png")
        with pytest.raises(UserError) as caught:
            read_picture(path, 64)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_too_small_or_too_narrow_is_refused(tmp_path: Path) -> None:
    _half_and_half(10, 10).save(tmp_path / "small.png")
    _half_and_half(400, 20).save(tmp_path / "narrow.png")
    for name in ("small", "narrow"):
        with pytest.raises(UserError, match="at least 16 x 16"):
            read_picture(tmp_path / f"{name}.png", 100)
    assert read_picture(tmp_path / "narrow.png", 400).size == (400, 20)


def test_a_picture_of_absurd_size_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(UserError, match="more than 200 megapixels"):
        read_picture(tmp_path / "bomb.png", 64)
