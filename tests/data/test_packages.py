"""npm and pip as downloaders, with packages of this machine, and the archives that they leave."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.helpers import Files, archive, contents, digest

from l2l.data.folder import CorruptError
from l2l.data.packages import npm_files, pip_file, tar_files
from l2l.data.sources import SourceError, TransientSourceError

WHEEL = "thing-1.0-py3-none-any.whl"


def test_files_of_a_package_that_npm_downloads(pack: Callable[[str, Files], None]) -> None:
    pack("thing@1.0", {"data/one": b"1", "data/two": b"2"})
    assert npm_files("thing@1.0", "package/data", ["two"]) == {"two": b"2"}
    with pytest.raises(KeyError, match="package/data/three"):
        npm_files("thing@1.0", "package/data", ["three"])


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_unreachable_registry_fails_soon_with_its_reason(
    closed_port: str, tmp_path: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", closed_port)
    monkeypatch.setenv("npm_config_cache", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(TransientSourceError, match="ECONNREFUSED"):
        npm_files("thing@1.0", "package", ["one"])
    assert time.monotonic() - start < 15


def test_npm_not_installed_is_said(no_npm: None) -> None:
    with pytest.raises(SourceError, match="npm is not on PATH"):
        npm_files("thing@1.0", "package", ["one"])


def test_only_the_named_files_of_an_archive_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = archive({"package/wanted": b"data", "../outside": b"data"})
    assert tar_files("a.tgz", made, "package", ["wanted"]) == {"wanted": b"data"}
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_in_a_files_place_is_refused(kind: bytes) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("secret"))
        link = tarfile.TarInfo("package/wanted")
        link.type, link.linkname = kind, "secret"
        tar.addfile(link)
    with pytest.raises(SourceError, match="not a regular file"):
        tar_files("a.tgz", made.getvalue(), "package", ["wanted"])


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / WHEEL
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("thing/data.bin", bytes(5000))
        said = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
        made.writestr("thing-1.0.dist-info/METADATA", said)
        made.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return path


@pytest.fixture
def index(wheel: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the wheel is all that pip knows."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("pip is not installed")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))


@pytest.fixture
def python(tmp_path: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that stands for the interpreter that runs pip."""
    path = tmp_path / "python"
    path.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def test_a_file_of_a_wheel_that_pip_downloads(index: None, wheel: Path) -> None:
    sha256 = digest(wheel.read_bytes())
    assert pip_file("thing==1.0", sha256, "thing/data.bin") == bytes(5000)


def test_a_wheel_with_another_digest_is_refused(index: None) -> None:
    with pytest.raises(CorruptError, match=r"thing==1\.0: SHA-256 \w{64}, not 0{64}"):
        pip_file("thing==1.0", "0" * 64, "thing/data.bin")


def test_a_version_that_does_not_exist_is_said_in_pips_words(index: None) -> None:
    with pytest.raises(TransientSourceError, match=r"satisfies the requirement thing==9\.9"):
        pip_file("thing==9.9", "", "")


def test_an_index_that_does_not_answer_is_said(
    index: None, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", closed_port)
    with pytest.raises(TransientSourceError, match=r"no package index.*Connection refused") as said:
        pip_file("thing==1.0", "", "")
    assert "object at" not in str(said.value)


def test_without_pip_its_absence_is_said(python: Path) -> None:
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    with pytest.raises(SourceError, match="No module named pip"):
        pip_file("thing==1.0", "", "")
    python.unlink()
    with pytest.raises(SourceError, match="pip download cannot be run"):
        pip_file("thing==1.0", "", "")


def test_a_pip_that_hangs_is_stopped(python: Path) -> None:
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(TransientSourceError, match=r"longer than 0\.2 s"):
        pip_file("thing==1.0", "", "", seconds=0.2)
