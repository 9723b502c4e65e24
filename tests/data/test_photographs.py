"""load_photographs and fetch_photographs on a small set, and on the real one where it lies."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import SmallPhotographs, files_below, flipped

from l2l.data import photographs_manifest
from l2l.data.photographs import COUNTS, fetch_photographs, load_photographs
from l2l.errors import UserError

SHARED = os.environ.get("L2L_DATA_DIR", "")
has_the_real_ones = pytest.mark.skipif(
    not (Path(SHARED) / "photos128").is_dir() or not SHARED,
    reason="L2L_DATA_DIR names no folder with photos128/",
)


def pixels(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)))


def test_images_are_those_of_the_files_and_nothing_is_written_or_asked_for(
    tmp_path: Path, photographs: SmallPhotographs, capsys: pytest.CaptureFixture
) -> None:
    folder = photographs.fill(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    loaded = load_photographs(tmp_path)
    assert loaded.stand_in is None
    assert not loaded.publishable
    for split, index, file in [("train", 2, "train/0002.jpg"), ("test", 0, "test/0004.jpg")]:
        image = loaded.image(split, index)
        assert image.dtype == np.uint8
        assert image.shape == (128, 128, 3)
        assert np.array_equal(image, pixels(photographs.files[file]))
    assert fetch_photographs(tmp_path).source == "local"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert photographs.web.requests == []
    assert capsys.readouterr().err == ""


def test_the_record_has_a_digest_of_the_files_digests(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    photographs.fill(tmp_path)
    record = json.loads(json.dumps(fetch_photographs(tmp_path).as_json()))
    files = [photographs.files[f"test/{number:04d}.jpg"] for number in (4, 5)]
    joined = "".join(hashlib.sha256(content).hexdigest() for content in files)
    assert record["digests"]["test"] == hashlib.sha256(joined.encode()).hexdigest()
    assert set(record["digests"]) == {"train", "validation", "test"}
    assert record["name"] == "photographs"


@pytest.mark.parametrize(("split", "index"), [("train", 3), ("train", -1), ("test", 2)])
def test_an_index_outside_the_split_is_an_error(
    split: str, index: int, tmp_path: Path, photographs: SmallPhotographs
) -> None:
    photographs.fill(tmp_path)
    with pytest.raises(IndexError, match=f"there are {COUNTS[split]}"):
        load_photographs(tmp_path).image(split, index)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "swapped"])
def test_fetch_names_a_corrupt_file_and_mends_it(
    damage: str, tmp_path: Path, photographs: SmallPhotographs, capsys: pytest.CaptureFixture
) -> None:
    folder = photographs.fill(tmp_path)
    path = folder / "train/0001.jpg"
    good = path.read_bytes()
    damaged = {
        "flipped": flipped(good, 500),
        "truncated": good[:500],
        "swapped": photographs.files["train/0002.jpg"],
    }
    path.write_bytes(damaged[damage])
    record = fetch_photographs(tmp_path)
    assert record.source == "raw.githubusercontent.com and local"
    assert record.stand_in is None
    lines = [line for line in capsys.readouterr().err.splitlines() if "corrupt" in line]
    assert len(lines) == 1
    assert str(path) in lines[0]
    assert files_below(folder) == photographs.files
    assert len(photographs.web.requests) == 1


def test_a_corrupt_file_is_mended_when_its_image_is_asked_for(
    tmp_path: Path, photographs: SmallPhotographs, capsys: pytest.CaptureFixture
) -> None:
    folder = photographs.fill(tmp_path)
    path = folder / "validation/0003.jpg"
    path.write_bytes(b"rubbish")
    loaded = load_photographs(tmp_path)
    assert photographs.web.requests == []
    image = loaded.image("validation", 0)
    assert np.array_equal(image, pixels(photographs.files["validation/0003.jpg"]))
    assert str(path) in capsys.readouterr().err
    assert files_below(folder) == photographs.files


@pytest.mark.parametrize("damage", ["corrupt", "gone"])
def test_an_image_that_cannot_be_mended_is_one_line_that_says_what_to_do(
    damage: str,
    tmp_path: Path,
    photographs: SmallPhotographs,
    closed_port: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photographs_manifest, "SITE", closed_port.rstrip("/"))
    path = photographs.fill(tmp_path) / "train/0000.jpg"
    loaded = load_photographs(tmp_path)
    if damage == "corrupt":
        path.write_bytes(flipped(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(UserError) as caught:
        loaded.image("train", 0)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), "Connection refused", "l2l data photographs"):
        assert part in message
    assert loaded.image("train", 1).shape == (128, 128, 3)


def test_fetch_does_not_pass_over_a_corrupt_file_where_nothing_can_be_reached(
    tmp_path: Path,
    photographs: SmallPhotographs,
    closed_port: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photographs_manifest, "SITE", closed_port.rstrip("/"))
    folder = photographs.fill(tmp_path, leave_out="test/0005.jpg")
    (folder / "train/0002.jpg").write_bytes(b"rubbish")
    with pytest.raises(UserError) as caught:
        fetch_photographs(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (f"{folder}/train/0002.jpg", "Connection refused", "l2l data photographs"):
        assert part in message
    assert (folder / "train/0002.jpg").read_bytes() == b"rubbish"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_missing_file_in_a_read_only_folder_is_one_line(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    folder = photographs.fill(tmp_path, leave_out="test/0005.jpg")
    folder.chmod(0o500)
    with pytest.raises(UserError, match=r"cannot write into .*Permission denied; .*L2L_DATA_DIR"):
        load_photographs(tmp_path)
    assert photographs.web.requests == []


def test_a_file_in_the_folders_place_is_one_line(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    (tmp_path / "photos128").write_text("a file")
    with pytest.raises(UserError, match="cannot write into"):
        load_photographs(tmp_path)
    assert photographs.web.requests == []


def test_the_manifest_has_every_file_once_in_order() -> None:
    splits = photographs_manifest.manifest()
    assert {split: len(all_of) for split, all_of in splits.items()} == COUNTS
    everything = [photograph for all_of in splits.values() for photograph in all_of]
    assert [p.file.partition("/")[2] for p in everything] == [f"{n:04d}.jpg" for n in range(1920)]
    assert len({p.sha256 for p in everything}) == len({p.url for p in everything}) == 1920
    assert all("'" not in p.url and " " not in p.url for p in everything)


@has_the_real_ones
def test_the_real_photographs_are_the_manifests() -> None:
    record = fetch_photographs(Path(SHARED))
    assert (record.source, record.stand_in) == ("local", None)
    image = load_photographs(Path(SHARED)).image("test", 99)
    path = Path(SHARED) / "photos128/test/1919.jpg"
    assert np.array_equal(image, pixels(path.read_bytes()))
