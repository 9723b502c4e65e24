"""Files given to `l2l paint`: whatever they are, a picture or one line, before the long work."""

from __future__ import annotations

import io
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from tests.small import hierarchical_settings, lstm_settings, random_phi

from l2l.cli import main
from l2l.errors import UserError
from l2l.optimizers import CoordinatewiseLSTM, checkpoint
from l2l.optimizers.weights import initial_phi, make_optimizer
from l2l.painting.pictures import read_picture
from l2l.shipped import optimizer_path

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "ICO", "TGA")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>'
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)


def _bytes(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _bytes(PICTURE, "JPEG", exif=exif)


def _huge() -> bytes:
    """A PNG of a few bytes that says that it has 10^10 pixels."""
    content = bytearray(_bytes(PICTURE, "PNG"))
    content[16:24] = (100_000).to_bytes(4) * 2  # in the first chunk, which has a checksum
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    return bytes(content)


GOOD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "16 bits": ("a.png", lambda: _bytes(Image.fromarray(PIXELS[..., 0].astype(np.uint16)), "PNG")),
    "cmyk": ("a.jpg", lambda: _bytes(PICTURE.convert("CMYK"), "JPEG")),
    "palette": ("a.png", lambda: _bytes(PICTURE.convert("P"), "PNG")),
    "grey and alpha": ("a.png", lambda: _bytes(PICTURE.convert("LA"), "PNG")),
    "black and white": ("a.png", lambda: _bytes(PICTURE.convert("1"), "PNG")),
    "animated": (
        "a.gif",
        lambda: _bytes(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(90)]),
    ),
    "turned": ("a.jpg", _turned),
    "another suffix": ("a.txt", lambda: _bytes(PICTURE, "WEBP")),
    "one colour": ("a.bmp", lambda: _bytes(Image.new("RGB", (32, 24)), "BMP")),
}
BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.png", lambda: b"", "is no picture"),
    "text": ("a.jpg", lambda: b"Dear sir or madam", "is no picture"),
    "cut jpeg": ("a.jpg", lambda: _bytes(PICTURE, "JPEG")[:900], "cannot be read"),
    "cut png": ("a.png", lambda: _bytes(PICTURE, "PNG")[:900], "cannot be read"),
    "header alone": ("a.png", lambda: _bytes(PICTURE, "PNG")[:24], "a.png"),
    "huge": ("a.png", _huge, "more than 200 megapixels"),
    "one pixel": ("a.png", lambda: _bytes(Image.new("RGB", (1, 1)), "PNG"), "at least 16 x 16"),
    "svg": ("a.svg", lambda: SVG, "is no picture"),
    "heic": ("a.heic", lambda: HEIC, "is no picture"),
    "floats": ("a.tiff", lambda: _bytes(Image.new("F", (32, 32)), "TIFF"), "8 bits a channel"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with good.png and folder/."""
    monkeypatch.chdir(tmp_path)
    PICTURE.save("good.png")
    Path("folder").mkdir()
    return tmp_path


def _paint(monkeypatch: pytest.MonkeyPatch, content: str, style: str, *options: str) -> int:
    call = ("--content", content, "--style", style, "--size", "32", "--steps", "2", *options)
    monkeypatch.setattr(sys, "argv", ["l2l", "paint", *call])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize("name", GOOD)
def test_any_picture_is_painted(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(data_directory.resolve()))
    path, content = GOOD[name]
    Path(path).write_bytes(content())
    assert _paint(monkeypatch, path, "good.png", "--out", "out.png") == 0
    size = (24, 32) if name == "turned" else (32, 24)
    assert Image.open("out.png").size == size


@pytest.mark.parametrize("side", ["content", "style"])
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_one_line(
    name: str,
    side: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path, content, said = BAD[name]
    Path(path).write_bytes(content())
    pictures = (path, "good.png") if side == "content" else ("good.png", path)
    assert _paint(monkeypatch, *pictures) == 2
    _assert_one_line(capfd, path, said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--out", "nowhere/a.png"), "there is no folder"),
        (("--out", "folder"), "ends in .png"),
        (("--out", "/proc/a.png"), "/proc/a.png cannot be written"),
        (("--out", "a.xyz"), "ends in .png"),
        (("--gif", "nowhere/a.gif"), "there is no folder"),
        (("--strip", "a.svg"), "ends in .png"),
        (("--content", "folder"), "folder cannot be read (Is a directory)"),
        (("--style", "missing.png"), "there is no file missing.png"),
        (("--optimizer", "folder"), "no optimizer 'folder'"),
        (("--optimizer", "good.png"), "good.png is not a checkpoint"),
        (("--optimizer", "cut"), "cut is not a checkpoint"),
        (("--optimizer", "other"), "it does not say what its tensors are"),
        (("--optimizer", "spoilt"), "weights that are not finite"),
        (("--optimizer", "wild"), "the loss diverged after 1 of 2 steps"),
    ],
)
def test_other_files_that_are_of_no_use_are_one_line(
    options: tuple[str, ...],
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    data_directory: Path,
) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(data_directory.resolve()))
    Path("cut").write_bytes(optimizer_path("neural_art").read_bytes()[:3000])
    save_file({"weight": torch.zeros(3)}, "other")
    phi = random_phi(lstm_settings(), dtype=torch.float32)
    phi["head.bias"][:] = torch.nan
    checkpoint.save(Path("spoilt"), CoordinatewiseLSTM(lstm_settings(), phi), {})
    phi["head.bias"][:] = 1e38
    checkpoint.save(Path("wild"), CoordinatewiseLSTM(lstm_settings(output_scale=1e30), phi), {})
    assert _paint(monkeypatch, "good.png", "good.png", *options) == 2
    _assert_one_line(capfd, "", said)


def test_an_optimizer_of_another_kind_paints(
    folder: Path, monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    """Its settings have no groups."""
    monkeypatch.setenv("L2L_DATA_DIR", str(data_directory.resolve()))
    kind = hierarchical_settings()
    optimizer = make_optimizer(kind, initial_phi(kind, torch.Generator().manual_seed(0)))
    checkpoint.save(Path("other.safetensors"), optimizer, {})
    assert _paint(monkeypatch, "good.png", "good.png", "--optimizer", "other.safetensors") == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    PICTURE.save("closed.png")
    Path("closed.png").chmod(0)
    assert _paint(monkeypatch, "closed.png", "good.png") == 2
    _assert_one_line(capfd, "closed.png", "Permission denied")


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(FORMATS), changes=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(
    kind: str, changes: st.DataObject, tmp_path: Path
) -> None:
    """A few bytes changed, and perhaps the end cut off: decoders fail in many ways."""
    content = bytearray(_bytes(PICTURE, kind))
    places = st.integers(0, min(len(content), 200) - 1)  # where formats say what they are
    for place in changes.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = changes.draw(st.integers(0, 255))
    del content[changes.draw(st.integers(len(content) // 2, len(content))) :]
    path = tmp_path / "damaged"
    path.write_bytes(bytes(content))
    told = ""
    try:
        picture = read_picture(path, 32)
    except UserError as error:
        told = str(error)
    if told:
        assert str(path) in told
        assert "\n" not in told
    else:
        assert picture.mode == "RGB"
        assert min(picture.size) >= 16


def _assert_one_line(capfd: pytest.CaptureFixture[str], *said: str) -> None:
    stdout, stderr = capfd.readouterr()
    assert stdout == ""
    assert len(stderr.splitlines()) == 1, stderr
    assert all(part in stderr for part in said), stderr
