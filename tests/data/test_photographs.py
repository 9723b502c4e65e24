"""The photographs: made anew of their originals, several at once, in several runs."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import SmallPictures, contents, digest, flipped, pixels, together

from l2l.data import https, photographs, pictures
from l2l.data.photographs import COUNTS, PHOTOGRAPHS, crop, manifest, remake
from l2l.data.pictures import REMADE, SEAL, Picture
from l2l.data.sources import SourceError, TransientSourceError

SHARED = Path(os.environ.get("L2L_DATA_DIR", "nowhere"))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_the_manifest_has_every_file_once_in_order() -> None:
    everything = manifest()
    assert list(everything) == [(split, n) for split in COUNTS for n in range(COUNTS[split])]
    all_of = everything.values()
    assert [p.file.partition("/")[2] for p in all_of] == [f"{n:04d}.jpg" for n in range(1920)]
    assert len({p.sha256 for p in all_of}) == len({p.path for p in all_of}) == 1920
    assert all("'" not in p.path and " " not in p.path for p in all_of)


@pytest.mark.skipif(not (SHARED / "photos128").is_dir(), reason="L2L_DATA_DIR has no photos128/")
def test_the_real_photographs_are_the_manifests() -> None:
    record = PHOTOGRAPHS.fetch(SHARED)
    assert (record.source, record.stand_in) == ("local", None)
    image = PHOTOGRAPHS.load(SHARED).image("test", 99)
    assert np.array_equal(image, pixels((SHARED / "photos128/test/1919.jpg").read_bytes()))


def test_the_digest_of_a_split_is_that_of_its_files_digests_or_of_the_stand_ins_pixels(
    tmp_path: Path, small_photographs: SmallPictures, closed_port: str, monkeypatch
) -> None:
    joined = "".join(digest(small_photographs.files[f"test/{n:04d}.jpg"]) for n in (4, 5))
    digests = PHOTOGRAPHS.fetch(tmp_path / "here").digests
    assert digests["test"] == digest(joined.encode())
    assert list(digests) == ["train", "validation", "test"]
    monkeypatch.setattr(pictures, "SITE", closed_port)
    both = crop("test", 0).tobytes() + crop("test", 1).tobytes()
    assert PHOTOGRAPHS.fetch(tmp_path / "there").digests["test"] == digest(both)


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
    result = pixels(made).astype(float)
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


def test_files_that_come_out_differently_are_kept_sealed_and_verified(
    tmp_path: Path, small_photographs: SmallPictures, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(photographs, "QUALITY", 90)  # as another version of Pillow would
    record = PHOTOGRAPHS.fetch(tmp_path)
    folder = tmp_path / "photos128"
    found = contents(folder)
    assert found.keys() == small_photographs.files.keys()
    assert all(SEAL in content for content in found.values())
    train = "".join(
        digest(content.partition(SEAL)[0])
        for file, content in sorted(found.items())
        if file.startswith("train")
    )
    assert record.digests["train"] == digest(train.encode())
    loaded = PHOTOGRAPHS.load(tmp_path)
    assert record.stand_in == loaded.stand_in == REMADE
    assert not loaded.publishable
    assert np.array_equal(loaded.image("train", 0), pixels(found["train/0000.jpg"]))
    again = PHOTOGRAPHS.fetch(tmp_path)
    assert (again.source, again.digests) == ("local", record.digests)
    assert len(small_photographs.web.requests) == 6
    # Whatever it came from, a file that is neither is corrupt.
    path = folder / "train/0001.jpg"
    path.write_bytes(flipped(found["train/0001.jpg"]))
    capsys.readouterr()
    loaded.image("train", 1)
    assert str(path) in capsys.readouterr().err
    assert path.read_bytes() == found["train/0001.jpg"]


def test_reference_files_put_in_later_are_no_longer_called_remade(
    tmp_path: Path, small_photographs: SmallPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "QUALITY", 90)
    PHOTOGRAPHS.fetch(tmp_path)
    small_photographs.fill(tmp_path)
    assert PHOTOGRAPHS.fetch(tmp_path).stand_in is None
    assert PHOTOGRAPHS.load(tmp_path).stand_in is None


def test_a_remade_file_in_the_place_of_another_is_corrupt(
    tmp_path: Path, small_photographs: SmallPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "QUALITY", 90)
    PHOTOGRAPHS.fetch(tmp_path)
    made = contents(tmp_path / "photos128")
    (tmp_path / "photos128" / "train/0000.jpg").write_bytes(made["train/0001.jpg"])
    PHOTOGRAPHS.fetch(tmp_path)
    assert contents(tmp_path / "photos128") == made
    assert len(small_photographs.web.requests) == 6 + 1


def many(count: int) -> dict[tuple[str, int], Picture]:
    return {("train", n): Picture(f"train/{n:04d}.jpg", "0" * 64, "path", "") for n in range(count)}


def test_a_network_that_fails_in_the_middle_is_given_up_and_what_came_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(url: str, sha256: str) -> bytes:
        asked.append(url)
        if len(asked) > 20:
            time.sleep(0.05)
            raise TransientSourceError("no network")
        return b"content"

    monkeypatch.setattr(pictures, "download", download)
    dataset = dataclasses.replace(PHOTOGRAPHS, pictures=lambda: many(500), remake=bytes)
    assert dataset.fetch(tmp_path).stand_in == PHOTOGRAPHS.stand_in
    note = (tmp_path / "photos128" / "stand-in.txt").read_text()
    assert "12 of 32 did not arrive: no network" in note
    assert len(contents(tmp_path / "photos128" / "train")) == 20
    assert len(asked) == 20 + 4 + pictures.AT_ONCE


def test_an_original_that_is_gone_stops_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(url: str, sha256: str) -> bytes:
        asked.append(url)
        raise SourceError("HTTP 404")

    monkeypatch.setattr(pictures, "download", download)
    dataset = dataclasses.replace(PHOTOGRAPHS, pictures=lambda: many(500))
    assert dataset.fetch(tmp_path).stand_in == PHOTOGRAPHS.stand_in
    assert "HTTP 404" in (tmp_path / "photos128" / "stand-in.txt").read_text()
    assert len(asked) <= pictures.AT_ONCE


def test_a_silent_server_takes_seconds_for_all_photographs_together(
    tmp_path: Path, small_photographs: SmallPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "SILENT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        monkeypatch.setattr(pictures, "SITE", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        assert PHOTOGRAPHS.load(tmp_path).stand_in == PHOTOGRAPHS.stand_in
        assert time.monotonic() - start < 5
    assert "timed out" in (tmp_path / "photos128" / "stand-in.txt").read_text()


def test_a_killed_download_goes_on_with_what_is_missing(
    tmp_path: Path, small_photographs: SmallPictures
) -> None:
    # One at a time, and slow, so that it is killed in the middle.
    code = f"""
import time
from pathlib import Path
from l2l.data import photographs, pictures
photographs.MANIFEST = Path({str(photographs.MANIFEST)!r})
pictures.SITE = {pictures.SITE!r}
pictures.AT_ONCE = 1
download = pictures.download
pictures.download = lambda *what: (time.sleep(0.3), download(*what))[1]
photographs.PHOTOGRAPHS.fetch(Path({str(tmp_path / "data")!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    folder = tmp_path / "data" / "photos128"
    deadline = time.monotonic() + 60
    while not (folder / "train/0001.jpg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = contents(folder)
    assert 2 <= len(there) < 6
    assert there.items() <= small_photographs.files.items()
    small_photographs.web.requests.clear()
    PHOTOGRAPHS.fetch(tmp_path / "data")
    assert contents(folder) == small_photographs.files
    assert len(small_photographs.web.requests) == 6 - len(there)


def test_two_fetches_at_once_agree_on_remade_files(
    tmp_path: Path, small_photographs: SmallPictures
) -> None:
    """Files come out differently and are written slowly: the two meet."""
    code = f"""
import time
from pathlib import Path
from l2l.data import photographs, pictures
photographs.MANIFEST = Path({str(photographs.MANIFEST)!r})
pictures.SITE = {pictures.SITE!r}
photographs.QUALITY = 90
write = pictures.write_bytes
pictures.write_bytes = lambda *what: (time.sleep(0.1), write(*what))
print(photographs.PHOTOGRAPHS.fetch(Path({str(tmp_path / "data")!r})).digests)
"""
    told = together(code)
    assert told[0] == told[1]
    asked = len(small_photographs.web.requests)
    assert together(code) == told
    assert len(small_photographs.web.requests) == asked, "everything is there, and verified"
