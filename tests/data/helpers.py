"""What the tests of several datasets do with bytes and tensors."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from l2l.data.labelled_images import LabelledImages

Arrays = dict[str, np.ndarray]
Files = dict[str, bytes]
# As CIFAR-10's authors name them.
ARCHIVE = "cifar-10-binary.tar.gz"
BATCH_FILES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]


def flipped(content: bytes, position: int = -1) -> bytes:
    """The content with one bit changed."""
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def same(one: LabelledImages, other: LabelledImages) -> bool:
    """Whether two datasets hold the same values."""
    return all(
        torch.equal(getattr(one, field.name), getattr(other, field.name))
        for field in dataclasses.fields(LabelledImages)
    )


def write_archive(path: Path, files: Files) -> Path:
    """A gzipped tar file of the files."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def fill(folder: Path, files: Files, suffix: str = "") -> None:
    """Write the files into a folder, with a suffix to their names."""
    for name, content in files.items():
        (folder / f"{name}{suffix}").write_bytes(content)


def contents(folder: Path) -> Files:
    """The files that lie in a folder, without its subfolders."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


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
class SmallPhotographs:
    """A small set of photographs: file -> content, and the server's folder of their originals."""

    web: Web
    manifest: Path
    files: Files
    originals: Path

    def fill(self, data: Path, leave_out: str = "") -> Path:
        """Write the files into a data directory; its photographs' folder."""
        folder = data / "photos128"
        for file, content in self.files.items():
            if file != leave_out:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
        return folder


def picture(seed: int, width: int, height: int) -> bytes:
    """A smooth JPEG file."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    made = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(made, "JPEG")
    return made.getvalue()


def files_below(folder: Path) -> Files:
    """The files in a folder and its subfolders, by their paths in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
