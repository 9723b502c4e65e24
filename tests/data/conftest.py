"""Real MNIST files as bytes, and a torchvision mirror on this machine."""

from __future__ import annotations

import functools
import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from l2l.data import mnist_sources, sources
from l2l.data.mnist_arrays import FILE_NAMES


@pytest.fixture(scope="session")
def gzipped(mnist_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """File name -> the gzipped idx file."""
    files = {}
    for name in FILE_NAMES:
        path = mnist_directory / "mnist" / f"{name}.gz"
        plain = path.with_suffix("")
        files[name] = path.read_bytes() if path.exists() else gzip.compress(plain.read_bytes(), 1)
    return files


@pytest.fixture(scope="session")
def plain(gzipped: dict[str, bytes]) -> dict[str, bytes]:
    """File name -> the idx file."""
    return {name: gzip.decompress(content) for name, content in gzipped.items()}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(mnist_sources, "SOCKET_SECONDS", 0.5)


class Mirror:
    """A web server on this machine that torchvision takes for its only mirror."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch):
        self.folder = folder
        self.url = url
        self.requests: list[str] = []
        self._monkeypatch = monkeypatch

    def serve(self, files: dict[str, bytes]) -> None:
        """Serve gzipped idx files; torchvision's own MD5 check is made to expect them."""
        resources = []
        for name, content in files.items():
            (self.folder / f"{name}.gz").write_bytes(content)
            resources.append((f"{name}.gz", hashlib.md5(content).hexdigest()))
        self._monkeypatch.setattr(MNIST, "resources", resources)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> Iterator[Mirror]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(MNIST, "mirrors", [address])
        made = Mirror(folder, address, monkeypatch)
        server.seen = made.requests  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]


@pytest.fixture
def closed_port() -> str:
    """The address of a port of this machine on which nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture
def no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
