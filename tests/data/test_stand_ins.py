"""What stands in where neither photographs nor styles can be had, and the note of it."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from tests.data.helpers import SmallPhotographs, files_below

from l2l.data import bundled, photographs_manifest, photographs_stand_in, styles, web
from l2l.data.bundled import PICTURES, bundled_picture
from l2l.data.photographs import COUNTS, fetch_photographs, load_photographs
from l2l.data.photographs_stand_in import crop
from l2l.errors import UserError


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    bundled_picture.cache_clear()
    yield
    bundled_picture.cache_clear()


@pytest.fixture
def unreachable(photographs: SmallPhotographs, closed_port: str, monkeypatch) -> SmallPhotographs:
    monkeypatch.setattr(photographs_manifest, "SITE", closed_port.rstrip("/"))
    return photographs


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_those_that_their_packages_show(name: str) -> None:
    if PICTURES[name].package == "skimage":
        from skimage import data

        shown = getattr(data, name)()
    else:
        from sklearn.datasets import load_sample_image

        shown = load_sample_image(f"{name}.jpg")
    if shown.ndim == 2:
        shown = shown[..., None].repeat(3, axis=-1)
    image = bundled_picture(name)
    assert image.dtype == np.uint8
    assert np.array_equal(image, shown)
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0, 0] = 0


def test_a_package_with_another_picture_is_one_line(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / PICTURES["coffee"].file
    file.parent.mkdir(parents=True)
    spec = ModuleSpec("skimage", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(UserError, match=rf"{file} is missing: pip install .*scikit-image"):
        bundled_picture("coffee")
    file.write_bytes(b"another")
    with pytest.raises(UserError, match=rf"{file}: SHA-256 .*: pip install .*scikit-image"):
        bundled_picture("coffee")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="skimage is not installed: pip install"):
        bundled_picture("coffee")


def test_no_picture_is_in_two_splits_or_both_content_and_style() -> None:
    used = [name for names in photographs_stand_in.PICTURES.values() for name in names]
    used += [style.stand_in for style in styles.PAINTINGS.values()]
    assert len(used) == len(set(used)) == 12
    assert set(used) == set(PICTURES)


@pytest.mark.parametrize("split", COUNTS)
def test_a_crop_is_a_part_of_a_picture_of_its_split(split: str) -> None:
    for index in range(6):
        made = crop(split, index)
        assert made.shape == (128, 128, 3)
        assert made.dtype == np.uint8
        names = photographs_stand_in.PICTURES[split]
        whole = bundled_picture(names[index % len(names)])
        # Scaling down stays near the colours that are there.
        assert np.isin(colours(made), colours(whole)).mean() > 0.98


def colours(image: np.ndarray) -> np.ndarray:
    """The colour of each pixel, coarsely, as one number."""
    return (image // 32).astype(int) @ [64, 8, 1]


def test_crops_are_the_same_in_another_process_and_in_any_order() -> None:
    code = (
        "import hashlib; from l2l.data.photographs_stand_in import crop\n"
        "for i in (5, 0): print(hashlib.sha256(crop('test', i).tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [hashlib.sha256(crop("test", index).tobytes()).hexdigest() for index in (0, 5)]
    assert done.stdout.split() == here[::-1]


def test_crops_differ() -> None:
    made = {crop(split, index).tobytes() for split in COUNTS for index in range(20)}
    assert len(made) == 60


def test_crops_stand_in_where_nothing_is_to_be_had(
    tmp_path: Path, unreachable: SmallPhotographs, capsys: pytest.CaptureFixture
) -> None:
    record = fetch_photographs(tmp_path / "data")
    loaded = load_photographs(tmp_path / "data")
    assert record.stand_in == loaded.stand_in == photographs_stand_in.STAND_IN
    assert loaded.publishable
    assert np.array_equal(loaded.image("test", 1), crop("test", 1))
    with pytest.raises(IndexError):
        loaded.image("test", COUNTS["test"])
    both = hashlib.sha256(crop("test", 0).tobytes() + crop("test", 1).tobytes()).hexdigest()
    assert record.digests["test"] == both
    note = tmp_path / "data" / "photos128" / "stand-in.txt"
    text = note.read_text()
    for part in (
        "6 of 6 were missing",
        "raw.githubusercontent.com",
        "Connection refused",
        "Delete",
    ):
        assert part in text
    assert str(note) in capsys.readouterr().err


def test_the_network_is_left_alone_until_the_note_is_deleted(
    tmp_path: Path, photographs: SmallPhotographs, monkeypatch, closed_port: str
) -> None:
    site = photographs_manifest.SITE
    monkeypatch.setattr(photographs_manifest, "SITE", closed_port.rstrip("/"))
    assert load_photographs(tmp_path).stand_in
    monkeypatch.setattr(photographs_manifest, "SITE", site)
    assert load_photographs(tmp_path).stand_in
    assert fetch_photographs(tmp_path).stand_in
    assert photographs.web.requests == []
    (tmp_path / "photos128" / "stand-in.txt").unlink()
    assert fetch_photographs(tmp_path).stand_in is None
    assert files_below(tmp_path / "photos128") == photographs.files


def test_photographs_put_in_by_hand_win_over_the_note(
    tmp_path: Path, unreachable: SmallPhotographs
) -> None:
    assert load_photographs(tmp_path).stand_in
    folder = unreachable.fill(tmp_path)
    assert load_photographs(tmp_path).stand_in is None
    assert fetch_photographs(tmp_path).source == "local"
    assert files_below(folder) == unreachable.files  # the note is gone


def test_what_has_arrived_stays_where_the_rest_is_not_to_be_had(
    tmp_path: Path, photographs: SmallPhotographs
) -> None:
    shutil.rmtree(photographs.originals)
    folder = photographs.fill(tmp_path, leave_out="train/0001.jpg")
    assert load_photographs(tmp_path).stand_in == photographs_stand_in.STAND_IN
    found = files_below(folder)
    assert "HTTP 404" in found.pop("stand-in.txt").decode()
    assert found.items() <= photographs.files.items()
    assert len(found) == 5


def test_a_silent_server_takes_seconds_for_all_photographs_together(
    tmp_path: Path, photographs: SmallPhotographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "SILENT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        site = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(photographs_manifest, "SITE", site)
        start = time.monotonic()
        assert load_photographs(tmp_path).stand_in == photographs_stand_in.STAND_IN
        assert time.monotonic() - start < 3
    assert "timed out" in (tmp_path / "photos128" / "stand-in.txt").read_text()


def test_the_attribution_names_the_two_that_need_it() -> None:
    assert "danielbuechele" in bundled.ATTRIBUTION
    assert "vultilion" in bundled.ATTRIBUTION
