"""What the tests of several data sets do with bytes, files and processes."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import struct
import subprocess
import sys
import tarfile
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from l2l.data.pictures import Picture, PictureDataset

Arrays = dict[str, np.ndarray]
Files = dict[str, bytes]


def digest(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def flipped(content: bytes, position: int = -1) -> bytes:
    """The content with one bit changed."""
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def idx(values: np.ndarray, kind: int = 0x08) -> bytes:
    """An idx file of the values."""
    sizes = struct.pack(f">{values.ndim}I", *values.shape)
    return struct.pack(">HBB", 0, kind, values.ndim) + sizes + values.tobytes()


def archive(files: Files) -> bytes:
    """A gzipped tar file of the files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def fill(folder: Path, files: Files, suffix: str = "") -> Path:
    """Write the files into a folder, which is made, gzipped where the suffix says so."""
    for name, content in files.items():
        path = folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1) if suffix == ".gz" else content)
    return folder


def contents(folder: Path) -> Files:
    """The files in a folder and its subfolders, by their paths in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def times(folder: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def together(code: str, *arguments: str, folder: Path | None = None) -> list[str]:
    """What two processes with the same Python code wrote to stdout; both must end well."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return [output for output, _ in outputs]


class Web:
    """A web server on this machine: the files of a folder, and what was asked for."""

    def __init__(self, folder: Path, url: str):
        self.folder = folder
        self.url = url
        self.requests: list[str] = []


@dataclasses.dataclass(frozen=True)
class SmallPictures:
    """A data set of six small pictures: its files, and a server with their originals."""

    dataset: PictureDataset
    files: Files
    web: Web

    def fill(self, data: Path, leave_out: str = "") -> Path:
        """Write the files into a data directory; the folder of the pictures."""
        files = {name: content for name, content in self.files.items() if name != leave_out}
        return fill(data / self.dataset.folder, files)

    def key(self, file: str) -> tuple[Any, ...]:
        """What the picture of a file is called."""
        return next(key for key, p in self.dataset.pictures().items() if p.file == file)

    def original(self, picture: Picture) -> Path:
        """Where the server has it."""
        return self.web.folder / urllib.parse.unquote(picture.path)


def picture(seed: int, width: int, height: int) -> bytes:
    """A smooth JPEG file."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    made = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(made, "JPEG")
    return made.getvalue()


def pixels(content: bytes) -> np.ndarray:
    """Of a picture file."""
    return np.array(Image.open(io.BytesIO(content)))
