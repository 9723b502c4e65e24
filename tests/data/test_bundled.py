"""The free pictures inside packages, and the crops of them that stand in for photographs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from tests.data.helpers import digest

from l2l.data.bundled import ATTRIBUTION, FILES, bundled_picture
from l2l.data.photographs import COUNTS, STAND_INS, crop
from l2l.data.styles import PAINTINGS
from l2l.errors import UserError


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    bundled_picture.cache_clear()
    yield
    bundled_picture.cache_clear()


@pytest.mark.parametrize("name", FILES)
def test_the_pictures_are_those_that_their_packages_show(name: str) -> None:
    if FILES[name][0].startswith("skimage/"):
        from skimage import data

        shown = getattr(data, {"ihc": "immunohistochemistry"}.get(name, name))()
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


def test_a_package_with_another_picture_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data" / "coffee.png"
    file.parent.mkdir()
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
    used = [name for names in STAND_INS.values() for name in names]
    used += [style.stand_in for style in PAINTINGS.values()]
    assert len(used) == len(set(used)) == 12
    assert set(used) == set(FILES)


def test_the_attribution_names_the_two_that_need_it() -> None:
    assert "danielbuechele" in ATTRIBUTION
    assert "vultilion" in ATTRIBUTION


@pytest.mark.parametrize("split", COUNTS)
def test_a_crop_is_a_part_of_a_picture_of_its_split(split: str) -> None:
    for index in range(6):
        made = crop(split, index)
        assert made.shape == (128, 128, 3)
        assert made.dtype == np.uint8
        names = STAND_INS[split]
        whole = bundled_picture(names[index % len(names)])
        # Scaling down stays near the colours that are there.
        assert np.isin(colours(made), colours(whole)).mean() > 0.98


def colours(image: np.ndarray) -> np.ndarray:
    """The colour of each pixel, coarsely, as one number."""
    return (image // 32).astype(int) @ [64, 8, 1]


def test_crops_are_the_same_in_another_process_and_in_any_order() -> None:
    code = (
        "import hashlib; from l2l.data.photographs import crop\n"
        "for i in (5, 0): print(hashlib.sha256(crop('test', i).tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [digest(crop("test", index).tobytes()) for index in (0, 5)]
    assert done.stdout.split() == here[::-1]


def test_crops_differ() -> None:
    made = {crop(split, index).tobytes() for split in COUNTS for index in range(20)}
    assert len(made) == 60
