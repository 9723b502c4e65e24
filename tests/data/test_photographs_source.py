"""The photographs out of their originals: made anew, several at once, in several runs."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import SmallPhotographs, files_below, flipped, together

from l2l.data import photographs_folder, photographs_manifest, photographs_source
from l2l.data.photographs import REMADE, fetch_photographs, load_photographs
from l2l.data.photographs_source import fetch_each, remake
from l2l.data.sources import SourceError, TransientSourceError


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content))).astype(float)


def test_an_absent_folder_is_filled(tmp_path: Path, photographs: SmallPhotographs, capsys) -> None:
    record = fetch_photographs(tmp_path / "data")
    assert (record.source, record.stand_in) == ("raw.githubusercontent.com", None)
    assert files_below(tmp_path / "data" / "photos128") == photographs.files
    assert len(photographs.web.requests) == 6
    assert fetch_photographs(tmp_path / "data").digests == record.digests
    assert len(photographs.web.requests) == 6
    assert "photograph 6/6" in capsys.readouterr().err


def test_loading_fetches_what_is_missing_and_no_more(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    folder = photographs.fill(tmp_path, leave_out="test/0004.jpg")
    assert load_photographs(tmp_path).stand_in is None
    assert files_below(folder) == photographs.files
    assert len(photographs.web.requests) == 1
    assert "n0_4_" in photographs.web.requests[0]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA"])
@pytest.mark.parametrize(("width", "height"), [(301, 200), (200, 301), (64, 80), (128, 128)])
def test_the_centre_is_cut_out_and_scaled(mode: str, width: int, height: int) -> None:
    side = min(width, height)
    shade = np.zeros((height, width), dtype=np.uint8)  # black outside of the central square
    ramp = np.linspace(60, 220, side)[:, None].repeat(side, axis=1)
    top, left = (height - side) // 2, (width - side) // 2
    shade[top : top + side, left : left + side] = ramp
    image = Image.fromarray(shade).convert("RGB").convert(mode)
    made = remake(encoded(image, "PNG" if mode == "RGBA" else "JPEG", quality=100))
    assert Image.open(io.BytesIO(made)).mode == "RGB"
    result = decoded(made)
    assert result.shape == (128, 128, 3)
    middles = (np.arange(128) + 0.5) * side / 128 - 0.5
    expected = np.interp(middles, np.arange(side), ramp[:, 0])
    # A pixel at the edges may have been smeared into the black by the first JPEG.
    inner = result[4:-4, 4:-4]
    assert np.abs(inner - expected[4:-4, None, None]).max() < 6


def test_a_rotation_in_exif_is_left_alone() -> None:
    image = Image.fromarray(np.tile(np.arange(0, 250, 1, dtype=np.uint8), (250, 1))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees"
    turned, plain = encoded(image, "JPEG", exif=exif), encoded(image, "JPEG")
    assert turned != plain
    assert remake(turned) == remake(plain)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff rubbish"])
def test_an_original_that_is_no_picture_is_a_source_error(content: bytes) -> None:
    with pytest.raises(SourceError, match="no picture"):
        remake(content)


def test_files_that_come_out_differently_are_kept_noted_and_verified(
    tmp_path: Path, photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(photographs_source, "QUALITY", 90)  # as another version of Pillow would
    record = fetch_photographs(tmp_path)
    folder = tmp_path / "photos128"
    found = files_below(folder)
    noted = found.pop(photographs_folder.REMADE).decode().splitlines()
    assert noted == ["file,sha256"] + [
        f"{file},{hashlib.sha256(content).hexdigest()}" for file, content in sorted(found.items())
    ]
    assert found.keys() == photographs.files.keys()
    assert not set(found.values()) & set(photographs.files.values())
    loaded = load_photographs(tmp_path)
    assert record.stand_in == loaded.stand_in == REMADE
    assert not loaded.publishable
    assert np.array_equal(loaded.image("train", 0), decoded(found["train/0000.jpg"]))
    again = fetch_photographs(tmp_path)
    assert (again.source, again.digests) == ("local", record.digests)
    assert len(photographs.web.requests) == 6
    # Whatever it came from, a file that is neither is corrupt.
    path = folder / "train/0001.jpg"
    path.write_bytes(flipped(found["train/0001.jpg"]))
    capsys.readouterr()
    loaded.image("train", 1)
    assert str(path) in capsys.readouterr().err
    assert path.read_bytes() == found["train/0001.jpg"]


def test_reference_files_put_in_later_are_no_longer_called_remade(
    tmp_path: Path, photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs_source, "QUALITY", 90)
    fetch_photographs(tmp_path)
    photographs.fill(tmp_path)
    assert fetch_photographs(tmp_path).stand_in is None
    assert load_photographs(tmp_path).stand_in is None


@pytest.mark.parametrize("damage", ["truncated", "rubbish"])
def test_a_damaged_note_of_digests_costs_a_download_and_no_more(
    damage: str, tmp_path: Path, photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs_source, "QUALITY", 90)
    record = fetch_photographs(tmp_path)
    path = tmp_path / "photos128" / photographs_folder.REMADE
    path.write_bytes(path.read_bytes()[:-20] if damage == "truncated" else b"\xff\x00,,\n")
    assert fetch_photographs(tmp_path).digests == record.digests
    assert len(photographs.web.requests) == 6 + (1 if damage == "truncated" else 6)


def test_a_network_that_fails_in_the_middle_is_given_up_and_what_came_is_kept(
    photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, kept = [], []

    def fetch(photograph: photographs_manifest.Photograph) -> bytes:
        asked.append(photograph)
        if len(asked) > 20:
            time.sleep(0.05)
            raise TransientSourceError("no network")
        return b"content"

    monkeypatch.setattr(photographs_source, "fetch_photograph", fetch)
    one = photographs_manifest.manifest()["train"][0]
    with pytest.raises(SourceError, match=r"of 500 did not arrive.*no network"):
        fetch_each([one] * 500, lambda photograph, content: kept.append(content))
    assert len(kept) == 20
    assert len(asked) <= 20 + 2 * photographs_source.FAILURES_IN_A_ROW


def test_an_original_that_is_gone_stops_the_rest(
    photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(photograph: photographs_manifest.Photograph) -> bytes:
        raise SourceError("HTTP 404")

    monkeypatch.setattr(photographs_source, "fetch_photograph", fetch)
    one = photographs_manifest.manifest()["train"][0]
    with pytest.raises(SourceError, match="HTTP 404"):
        fetch_each([one] * 500, lambda photograph, content: None)


def test_a_killed_download_goes_on_with_what_is_missing(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    # One at a time, and slow, so that it is killed in the middle.
    code = f"""
import time
from pathlib import Path
from l2l.data import photographs, photographs_manifest, photographs_source
photographs_manifest.MANIFEST = Path({str(photographs.manifest)!r})
photographs_manifest.SITE = {photographs_manifest.SITE!r}
photographs_source.AT_ONCE = 1
download = photographs_source.download
photographs_source.download = lambda *what: (time.sleep(0.3), download(*what))[1]
photographs.fetch_photographs(Path({str(tmp_path / "data")!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    folder = tmp_path / "data" / "photos128"
    deadline = time.monotonic() + 60
    while not (folder / "train/0001.jpg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = files_below(folder)
    assert 2 <= len(there) < 6
    assert there.items() <= photographs.files.items()
    photographs.web.requests.clear()
    fetch_photographs(tmp_path / "data")
    assert files_below(folder) == photographs.files
    assert len(photographs.web.requests) == 6 - len(there)


def test_two_fetches_at_once_do_not_lose_each_others_digests(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    """Files come out differently; the note of their digests is written slowly: the two meet."""
    code = f"""
import time
from pathlib import Path
from l2l.data import photographs, photographs_folder, photographs_manifest, photographs_source
photographs_manifest.MANIFEST = Path({str(photographs.manifest)!r})
photographs_manifest.SITE = {photographs_manifest.SITE!r}
photographs_source.QUALITY = 90
write = photographs_folder.write_or_explain
photographs_folder.write_or_explain = lambda *what: (time.sleep(0.1), write(*what))
print(photographs.fetch_photographs(Path({str(tmp_path / "data")!r})).digests)
"""
    told = together(code)
    assert told[0] == told[1]
    asked = len(photographs.web.requests)
    assert together(code) == told
    assert len(photographs.web.requests) == asked, "everything is there, and verified"
