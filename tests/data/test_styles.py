"""load_styles and fetch_styles on small pictures, and on the real ones where they lie."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import Files, Web, contents, fill, flipped, picture

from l2l.data import styles
from l2l.data.bundled import bundled_picture
from l2l.data.styles import NAMES, STAND_IN, fetch_styles, load_styles
from l2l.errors import UserError

SHARED = Path(os.environ.get("L2L_DATA_DIR", "nowhere"))


@pytest.fixture
def small(web: Web, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Six small files that the package takes for the styles, on a server."""
    files = {}
    for number, name in enumerate(NAMES):
        files[f"{name}.jpg"] = content = picture(number, 40 + number, 30)
        style = dataclasses.replace(
            styles.PAINTINGS[name], sha256=hashlib.sha256(content).hexdigest()
        )
        monkeypatch.setitem(styles.PAINTINGS, name, style)
        served = web.folder / style.path
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_bytes(content)
    monkeypatch.setattr(styles, "SITE", web.url.rstrip("/"))
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "styles"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def unreachable(small: Files, closed_port: str, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(styles, "SITE", closed_port.rstrip("/"))
    return small


def test_local_files_are_read_and_nothing_is_asked_for(
    folder: Path, small: Files, web: Web, capsys: pytest.CaptureFixture
) -> None:
    fill(folder, small)
    loaded = load_styles(folder.parent)
    assert (loaded.stand_in, loaded.publishable) == (None, False)
    for name in NAMES:
        assert np.array_equal(
            loaded.image(name), np.asarray(Image.open(io.BytesIO(small[f"{name}.jpg"])))
        )
    record = fetch_styles(folder.parent)
    assert (record.name, record.source, record.stand_in) == ("styles", "local", None)
    assert contents(folder) == small
    assert web.requests == []
    assert capsys.readouterr().err == ""


def test_an_absent_folder_is_filled_once(tmp_path: Path, small: Files, web: Web) -> None:
    assert load_styles(tmp_path / "data").stand_in is None
    assert contents(tmp_path / "data" / "styles") == small
    assert len(web.requests) == 6
    assert fetch_styles(tmp_path / "data").source == "local"
    assert len(web.requests) == 6


@pytest.mark.parametrize("damage", ["flipped", "truncated", "swapped"])
def test_a_corrupt_file_is_named_and_mended(
    damage: str, folder: Path, small: Files, web: Web, capsys: pytest.CaptureFixture
) -> None:
    fill(folder, small)
    path = folder / "wave.jpg"
    good = path.read_bytes()
    damaged = {"flipped": flipped(good), "truncated": good[:99], "swapped": small["udnie.jpg"]}
    path.write_bytes(damaged[damage])
    record = fetch_styles(folder.parent)
    assert record.source == "raw.githubusercontent.com and local"
    assert str(path) in capsys.readouterr().err
    assert contents(folder) == small
    path.write_bytes(damaged[damage])
    image = load_styles(folder.parent).image("wave")
    assert np.array_equal(image, np.asarray(Image.open(io.BytesIO(good))))
    assert len(web.requests) == 2


def test_a_corrupt_file_that_cannot_be_mended_is_one_line(folder: Path, unreachable: Files) -> None:
    fill(folder, unreachable)
    (folder / "starry_night.jpg").unlink()  # a missing one does not hide it
    (folder / "the_scream.jpg").write_bytes(b"rubbish")
    with pytest.raises(UserError) as caught:
        fetch_styles(folder.parent)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(folder / "the_scream.jpg"), "Connection refused", "l2l data styles"):
        assert part in message
    assert (folder / "the_scream.jpg").read_bytes() == b"rubbish"


def test_a_file_that_vanishes_after_loading_is_one_line(folder: Path, unreachable: Files) -> None:
    fill(folder, unreachable)
    loaded = load_styles(folder.parent)
    (folder / "wave.jpg").unlink()
    with pytest.raises(UserError, match=r"wave\.jpg is missing.*Connection refused"):
        loaded.image("wave")


def test_stand_ins_where_nothing_can_be_reached(
    tmp_path: Path, unreachable: Files, capsys: pytest.CaptureFixture
) -> None:
    record = fetch_styles(tmp_path / "data")
    loaded = load_styles(tmp_path / "data")
    assert record.stand_in == loaded.stand_in == STAND_IN
    assert loaded.publishable
    brick = bundled_picture("brick")
    assert np.array_equal(loaded.image("udnie"), brick)
    assert record.digests["udnie"] == hashlib.sha256(brick.tobytes()).hexdigest()
    loaded.image("udnie")[:] = 0  # a picture of one's own
    assert loaded.image("udnie").any()
    note = tmp_path / "data" / "styles" / "stand-in.txt"
    assert "Connection refused" in note.read_text()
    assert str(note) in capsys.readouterr().err


def test_the_note_holds_until_it_is_deleted_or_the_files_are_there(
    folder: Path, small: Files, web: Web
) -> None:
    (folder / "stand-in.txt").write_text("since yesterday")
    assert load_styles(folder.parent).stand_in == fetch_styles(folder.parent).stand_in == STAND_IN
    assert web.requests == []
    fill(folder, small)
    assert load_styles(folder.parent).stand_in is None
    assert fetch_styles(folder.parent).stand_in is None
    assert contents(folder) == small


def test_other_pictures_at_the_source_are_refused(
    tmp_path: Path, small: Files, web: Web, capsys: pytest.CaptureFixture
) -> None:
    served = web.folder / styles.PAINTINGS["wave"].path
    served.write_bytes(small["udnie.jpg"])
    assert fetch_styles(tmp_path).stand_in == STAND_IN
    assert "wave.jpg: SHA-256" in capsys.readouterr().err
    assert "wave.jpg" not in contents(tmp_path / "styles")


def test_a_folder_that_cannot_be_made_is_an_error_before_any_download(
    tmp_path: Path, small: Files, web: Web
) -> None:
    with pytest.raises(UserError, match=r"there is no folder .*typo; .*L2L_DATA_DIR"):
        load_styles(tmp_path / "typo" / "data")
    assert web.requests == []


def test_an_unknown_name_is_a_key_error(folder: Path, small: Files) -> None:
    fill(folder, small)
    with pytest.raises(KeyError, match="mona_lisa"):
        load_styles(folder.parent).image("mona_lisa")


@pytest.mark.skipif(not (SHARED / "styles").is_dir(), reason="L2L_DATA_DIR has no styles/")
def test_the_real_styles_are_those_of_the_digests() -> None:
    assert fetch_styles(SHARED).source == "local"
    assert load_styles(SHARED).image("shipwreck").shape == (662, 960, 3)
