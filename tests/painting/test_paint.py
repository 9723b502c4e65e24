"""`l2l paint` with the real network: a picture comes out, its course, and bad input in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.test_arguments import refused
from tests.cli.test_commands import l2l
from tests.small import lstm_settings, random_phi

from l2l.optimizers import CoordinatewiseLSTM, checkpoint


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with content.png (48 x 33) and style.jpg (64 x 64)."""
    generator = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 48, dtype=np.uint8)[None, :, None].repeat(33, 0).repeat(3, 2)
    Image.fromarray(ramp).save(tmp_path / "content.png")
    noise = generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "style.jpg")
    return tmp_path


CONVOLUTIONAL = {"name": "convolutional", "parameters": ["conv*"]}
CONNECTED = {"name": "connected", "parameters": ["*"]}
ARGUMENTS = ("paint", "--content", "content.png", "--style", "style.jpg")


def test_a_picture_its_strip_and_its_gif(pictures: Path, data_directory: Path) -> None:
    done = l2l(
        pictures,
        *ARGUMENTS,
        *("--size", "32", "--steps", "6", "--gif", "course.gif", "--strip", "strip.png"),
        L2L_DATA_DIR=str(data_directory),
    )
    assert done.returncode == 0, done.stderr
    painted = Image.open(pictures / "content_in_style.png")
    assert painted.size == (32, 22)
    strip = Image.open(pictures / "strip.png")
    assert strip.size == (32 * 4 + 22 + 4 * 4, 22)  # steps 0, 1, 4, 6 and the style, with gaps
    start = np.asarray(strip)[:, :32].astype(int)
    expected = np.asarray(Image.open(pictures / "content.png").resize((32, 22)).convert("RGB"))
    assert np.abs(start - expected).max() < 12
    last = np.asarray(strip)[:, 3 * 36 : 3 * 36 + 32]
    assert np.array_equal(last, np.asarray(painted))
    assert not np.array_equal(last, start)
    gif = Image.open(pictures / "course.gif")
    assert gif.n_frames == 7
    assert gif.size == (32, 22)


def test_the_same_command_gives_the_same_bytes(pictures: Path, data_directory: Path) -> None:
    for name in ("one.png", "two.png"):
        arguments = ("--size", "32", "--steps", "3", "--out", name)
        done = l2l(pictures, *ARGUMENTS, *arguments, L2L_DATA_DIR=str(data_directory))
        assert done.returncode == 0, done.stderr
    assert (pictures / "one.png").read_bytes() == (pictures / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--content", "missing.png"), "there is no file missing.png"),
        (("--out", "result.xyz"), "ends in .png"),
        (("--out", "nowhere/result.png"), "there is no folder"),
        (("--gif", "course.png"), "ends in .gif"),
        (("--out", "folder.png"), "is a folder"),
        (("--optimizer", "two_groups.safetensors"), "convolutional, connected"),
        (("--out", "content.png"), "a name of its own"),
        (("--strip", "same.png", "--out", "same.png"), "a name of its own"),
        (("--optimizer", "nobody"), "hierarchical, or a file such as"),
        (("--optimizer", "style.jpg"), "is not a checkpoint"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    pictures: Path,
    arguments: tuple[str, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (pictures / "folder.png").mkdir()
    settings = lstm_settings(groups=[CONVOLUTIONAL, CONNECTED])
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    checkpoint.save(pictures / "two_groups.safetensors", optimizer, {})
    before = {path: path.read_bytes() for path in pictures.iterdir() if path.is_file()}
    monkeypatch.chdir(pictures)
    said = refused((*ARGUMENTS, "--size", "32", *arguments), monkeypatch, capsys)
    assert words in said
    after = {path: path.read_bytes() for path in pictures.iterdir() if path.is_file()}
    assert after == before


def test_a_gif_shows_every_so_many_steps_with_a_strip_beside_too(
    pictures: Path, data_directory: Path
) -> None:
    done = l2l(
        pictures,
        *ARGUMENTS,
        *("--size", "24", "--steps", "81", "--gif", "course.gif", "--strip", "strip.png"),
        L2L_DATA_DIR=str(data_directory),
    )
    assert done.returncode == 0, done.stderr
    assert Image.open(pictures / "course.gif").n_frames == 42  # 0, 2, ... 80, and the last
