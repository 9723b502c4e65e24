"""The styles: their records, and the real ones where they lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.data.helpers import SmallPictures, digest

from l2l.data import pictures
from l2l.data.bundled import bundled_picture
from l2l.data.styles import PAINTINGS, STYLES

SHARED = Path(os.environ.get("L2L_DATA_DIR", "nowhere"))


def test_the_record_has_the_digests_of_the_files_or_of_the_stand_ins_pixels(
    tmp_path: Path, small_styles: SmallPictures, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {name.removesuffix(".jpg"): digest(file) for name, file in small_styles.files.items()}
    assert STYLES.fetch(tmp_path / "here").digests == real
    monkeypatch.setattr(pictures, "SITE", closed_port)
    free = {name: bundled_picture(style.stand_in) for name, style in PAINTINGS.items()}
    digests = {name: digest(image.tobytes()) for name, image in free.items()}
    assert STYLES.fetch(tmp_path / "there").digests == digests
    assert np.array_equal(STYLES.load(tmp_path / "there").image("udnie"), bundled_picture("brick"))


@pytest.mark.skipif(not (SHARED / "styles").is_dir(), reason="L2L_DATA_DIR has no styles/")
def test_the_real_styles_are_those_of_the_digests() -> None:
    assert STYLES.fetch(SHARED).source == "local"
    assert STYLES.load(SHARED).image("shipwreck").shape == (662, 960, 3)
