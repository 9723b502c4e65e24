"""What holds for photographs and styles alike: six small files, their originals on a server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.data.helpers import SmallPictures, contents, flipped, pixels, times

from l2l.data import pictures
from l2l.data.pictures import HOST
from l2l.errors import UserError

DAMAGES = [lambda good: flipped(good, 300), lambda good: good[:99], lambda good: b""]


def first(small: SmallPictures) -> str:
    return next(iter(small.files))


def test_images_are_those_of_the_files_and_nothing_is_written_or_asked_for(
    tmp_path: Path, small: SmallPictures, capsys: pytest.CaptureFixture
) -> None:
    folder = small.fill(tmp_path)
    before = times(folder)
    loaded = small.dataset.load(tmp_path)
    assert (loaded.stand_in, loaded.publishable) == (None, False)
    for file, content in small.files.items():
        image = loaded.image(*small.key(file))
        assert image.dtype == np.uint8
        assert np.array_equal(image, pixels(content))
    record = small.dataset.fetch(tmp_path)
    assert (record.name, record.source, record.stand_in) == (small.dataset.name, "local", None)
    assert times(folder) == before
    assert small.web.requests == []
    assert capsys.readouterr().err == ""


def test_an_absent_folder_is_filled_once(
    tmp_path: Path, small: SmallPictures, capsys: pytest.CaptureFixture
) -> None:
    record = small.dataset.fetch(tmp_path / "data")
    assert (record.source, record.stand_in) == (HOST, None)
    assert contents(tmp_path / "data" / small.dataset.folder) == small.files
    assert len(small.web.requests) == 6
    assert "picture 6/6" in capsys.readouterr().err
    again = small.dataset.fetch(tmp_path / "data")
    assert (again.source, again.digests) == ("local", record.digests)
    assert len(small.web.requests) == 6


def test_loading_fetches_what_is_missing_and_no_more(tmp_path: Path, small: SmallPictures) -> None:
    folder = small.fill(tmp_path, leave_out=first(small))
    assert small.dataset.load(tmp_path).stand_in is None
    assert contents(folder) == small.files
    assert len(small.web.requests) == 1


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("fetched", [True, False])
def test_a_corrupt_file_is_named_and_mended(
    damage: Callable[[bytes], bytes],
    fetched: bool,
    tmp_path: Path,
    small: SmallPictures,
    capsys: pytest.CaptureFixture,
) -> None:
    file = first(small)
    path = small.fill(tmp_path) / file
    path.write_bytes(damage(small.files[file]))
    if fetched:
        record = small.dataset.fetch(tmp_path)
        assert (record.source, record.stand_in) == (f"{HOST} and local", None)
    else:
        loaded = small.dataset.load(tmp_path)
        assert small.web.requests == []
        image = loaded.image(*small.key(file))
        assert np.array_equal(image, pixels(small.files[file]))
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "corrupt" in line]
    assert str(path) in line
    assert contents(tmp_path / small.dataset.folder) == small.files
    assert len(small.web.requests) == 1


def test_two_files_in_each_others_place_are_corrupt(tmp_path: Path, small: SmallPictures) -> None:
    one, other, *_ = small.files
    folder = small.fill(tmp_path)
    (folder / one).write_bytes(small.files[other])
    small.dataset.fetch(tmp_path)
    assert contents(folder) == small.files


@pytest.mark.parametrize("damage", ["corrupt", "gone"])
def test_an_image_that_cannot_be_mended_is_one_line_that_says_what_to_do(
    damage: str, tmp_path: Path, unreachable: SmallPictures
) -> None:
    file, other, *_ = unreachable.files
    path = unreachable.fill(tmp_path) / file
    loaded = unreachable.dataset.load(tmp_path)
    if damage == "corrupt":
        path.write_bytes(flipped(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(UserError) as caught:
        loaded.image(*unreachable.key(file))
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), "Connection refused", f"l2l data {unreachable.dataset.name}"):
        assert part in message
    loaded.image(*unreachable.key(other))


def test_a_corrupt_file_is_an_error_where_nothing_can_be_reached(
    tmp_path: Path, unreachable: SmallPictures
) -> None:
    missing, corrupt, *_ = unreachable.files  # a missing one does not hide the corrupt one
    path = unreachable.fill(tmp_path, leave_out=missing) / corrupt
    path.write_bytes(b"rubbish")
    with pytest.raises(UserError) as caught:
        unreachable.dataset.fetch(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), "Connection refused", f"l2l data {unreachable.dataset.name}"):
        assert part in message
    assert path.read_bytes() == b"rubbish"


@pytest.mark.parametrize("above", ["typo", "file", "read-only"])
def test_a_folder_that_cannot_be_written_is_an_error_before_any_download(
    above: str, tmp_path: Path, small: SmallPictures
) -> None:
    data = tmp_path / "typo" / "data"
    if above == "file":
        data = tmp_path
        (data / small.dataset.folder).write_text("a file")
    elif above == "read-only":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        data = tmp_path
        small.fill(tmp_path, leave_out=first(small)).chmod(0o500)
    with pytest.raises(UserError, match=r"cannot write into .*L2L_DATA_DIR"):
        small.dataset.load(data)
    assert small.web.requests == []


@pytest.mark.parametrize("key", [("mona_lisa",), ("train", 3), ("train", -1), ("test", 2)])
@pytest.mark.parametrize("real", [True, False])
def test_a_picture_that_there_is_not_is_a_key_error(
    key: tuple, real: bool, tmp_path: Path, unreachable: SmallPictures
) -> None:
    if real:
        unreachable.fill(tmp_path)
    with pytest.raises(KeyError):
        unreachable.dataset.load(tmp_path).image(*key)


def test_free_pictures_stand_in_where_nothing_can_be_reached(
    tmp_path: Path, unreachable: SmallPictures, capsys: pytest.CaptureFixture
) -> None:
    dataset = unreachable.dataset
    record = dataset.fetch(tmp_path / "data")
    loaded = dataset.load(tmp_path / "data")
    assert record.stand_in == loaded.stand_in == dataset.stand_in
    assert record.source == dataset.stand_in_source
    assert loaded.publishable
    key = unreachable.key(first(unreachable))
    image = loaded.image(*key)
    assert np.array_equal(image, dataset.free(*key))
    image[:] = 0  # a picture of one's own
    assert loaded.image(*key).any()
    note = tmp_path / "data" / dataset.folder / "stand-in.txt"
    for part in ("6 of 6 were missing", HOST, "Connection refused", "Delete"):
        assert part in note.read_text()
    assert str(note) in capsys.readouterr().err


def test_the_network_is_left_alone_until_the_note_is_deleted(
    tmp_path: Path, small: SmallPictures, monkeypatch: pytest.MonkeyPatch, closed_port: str
) -> None:
    with monkeypatch.context() as offline:
        offline.setattr(pictures, "SITE", closed_port)
        assert small.dataset.load(tmp_path).stand_in
    assert small.dataset.load(tmp_path).stand_in
    assert small.dataset.fetch(tmp_path).stand_in
    assert small.web.requests == []
    (tmp_path / small.dataset.folder / "stand-in.txt").unlink()
    assert small.dataset.fetch(tmp_path).stand_in is None
    assert contents(tmp_path / small.dataset.folder) == small.files


def test_files_put_in_by_hand_win_over_the_note(tmp_path: Path, unreachable: SmallPictures) -> None:
    assert unreachable.dataset.load(tmp_path).stand_in
    folder = unreachable.fill(tmp_path)
    assert unreachable.dataset.load(tmp_path).stand_in is None
    assert unreachable.dataset.fetch(tmp_path).source == "local"
    assert contents(folder) == unreachable.files  # the note is gone


@pytest.mark.parametrize("damage", ["gone", "another"])
def test_what_has_arrived_stays_where_the_rest_cannot_be_fetched(
    damage: str, tmp_path: Path, small: SmallPictures
) -> None:
    file = first(small)
    original = small.original(small.dataset.pictures()[small.key(file)])
    if damage == "gone":
        original.unlink()
    else:
        original.write_bytes(b"another")
    folder = small.fill(tmp_path, leave_out=file)
    assert small.dataset.load(tmp_path).stand_in == small.dataset.stand_in
    files = contents(folder)
    said = {"gone": "HTTP 404", "another": "another file than the one with SHA-256"}
    assert said[damage] in files.pop("stand-in.txt").decode()
    assert files.items() <= small.files.items()
    assert len(files) == 5
