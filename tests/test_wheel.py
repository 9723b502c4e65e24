"""The wheel, installed outside a checkout beside nothing but what it asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from l2l.kernels import build

ROOT = Path(__file__).parents[1]
TEN_LINES = """
import torch
import l2l

torch.manual_seed(0)
x = torch.randn(64, 10)
labels = (x[:, 0] > 0).long()
model = torch.nn.Linear(10, 2)
optimizer = l2l.LearnedOptimizer(model.parameters(), "mnist")
losses = []
for step in range(50):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(losses[-1] < 0.5 * losses[0])
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from."""
    source = tmp_path_factory.mktemp("source")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("src", "config", "studies"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=unwanted)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(source, tmp_path_factory.mktemp("wheel"), {})


def _build(source: Path, folder: Path, environment: dict[str, str]) -> Path:
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
    command = [sys.executable, "-c", build]
    environment = os.environ | environment
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _needed(lines: Iterable[str], extra: str = "") -> set[str]:
    """The packages of requirements, with what these need."""
    found: dict[tuple[str, str], None] = {}
    pending = [(line, extra) for line in lines]
    while pending:
        line, extra = pending.pop()
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), wanted)
            if key not in found and key[0] != "l2l":
                found[key] = None
                pending += [(each, wanted) for each in metadata.requires(key[0]) or ()]
    return {name for name, _ in found}


class Installed:
    """An environment with the wheel and what it asks for, by links to this environment's files."""

    def __init__(self, wheel: Path, extra: str, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self._bin = folder / "bin"
        (self.packages,) = folder.glob("lib/python*/site-packages")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            told = metadata.PathDistribution(zipfile.Path(archive, name.replace("METADATA", "")))
            needed = _needed(told.requires or (), extra)
        for name in needed:
            own = metadata.distribution(name)
            for top in {file.parts[0] for file in own.files or ()} - {"..", "__pycache__"}:
                if not (link := self.packages / top).exists():
                    link.symlink_to(Path(str(own.locate_file(top))))
        install = [sys.executable, "-m", "pip", "--python", str(self._bin / "python"), "install"]
        install += ["--quiet", "--no-index", "--no-deps", str(wheel)]
        subprocess.run(install, check=True, capture_output=True)

    def __call__(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in a folder of its own; no compiler is on the PATH."""
        elsewhere = self._bin.parent / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            env={"PATH": str(self._bin), "HOME": str(elsewhere), "OMP_NUM_THREADS": "1"},
            cwd=elsewhere,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, "", tmp_path_factory.mktemp("core"))


def test_a_wheel_has_every_file_of_the_package(source: Path, wheel: Path, tmp_path: Path) -> None:
    package = tmp_path / "l2l"
    unwanted = shutil.ignore_patterns("__pycache__", "README.md")  # config/README.md is for people
    shutil.copytree(source / "src" / "l2l", package, ignore=unwanted)  # follows links
    files = {str(path.relative_to(tmp_path)) for path in package.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if name.startswith("l2l/")} == files
    assert {f"l2l/kernels/{name}" for name in ("forward.cpp", "backward.cpp", "cell.h")} < files
    assert wheel.stat().st_size < 1_000_000


def test_the_core_needs_five_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    asked = {Requirement(x.partition(": ")[2]) for x in lines if x.startswith("Requires-Dist: ")}
    core = {each.name for each in asked if not each.marker}
    assert core == {"numpy", "pydantic", "pyyaml", "safetensors", "torch"}


def test_the_core_optimizes_without_a_compiler_and_says_what_is_slower(core: Installed) -> None:
    assert not (core.packages / "typer").exists()
    done = core("python", "-c", TEN_LINES)
    assert done.stdout == "True\n", done.stderr
    (line,) = done.stderr.splitlines()
    assert "3 to 4 times slower than the compiled kernels: no C++ compiler found" in line


@pytest.mark.skipif(
    not set(build._cpu_features().split()) >= build.AVX2, reason="the libraries are for AVX2"
)
def test_compiled_kernels_need_no_compiler(source: Path, tmp_path: Path) -> None:
    wheel = _build(source, tmp_path / "wheel", {"L2L_COMPILED": "1"})
    assert wheel.name.endswith("-py3-none-linux_x86_64.whl")
    assert wheel.stat().st_size < 1_000_000
    installed = Installed(wheel, "", tmp_path / "environment")
    done = installed("python", "-c", TEN_LINES)
    assert (done.stdout, done.stderr) == ("True\n", "")
    folder = installed.packages / "l2l" / "kernels" / "compiled"
    assert {path.stem for path in folder.iterdir()} == set(build.LEVELS)


def test_the_core_has_its_version_and_names_the_extra_that_a_command_needs(core: Installed) -> None:
    version = core("l2l", "--version")
    assert version.stdout.startswith("l2l "), version.stderr
    for command, extra in (("config", "replicate"), ("paint", "paint")):
        done = core("l2l", command)
        assert done.returncode == 2
        package = "typer is missing, which this command needs"
        assert done.stderr == f"l2l: {package}: pip install 'l2l[{extra}]'\n"


def test_the_extra_paint_paints(wheel: Path, data_directory: Path, tmp_path: Path) -> None:
    paint = Installed(wheel, "paint", tmp_path)
    assert not (paint.packages / "matplotlib").exists()
    made = paint(
        "python",
        "-c",
        "\n".join(
            ["from PIL import Image"]
            + [f"Image.effect_noise((64, 64), 50).convert('RGB').save('{x}.png')" for x in "ab"]
        ),
    )
    assert made.returncode == 0, made.stderr
    data = f"data.directory={os.fspath(data_directory.resolve())}"
    done = paint(
        "l2l", "paint", "--content", "a.png", "--style", "b.png", "--steps", "2", "--set", data
    )
    assert done.stdout == "a_in_b.png: 64 x 64 pixels\n", done.stderr
    done = paint("l2l", "figure", "mnist")
    assert done.returncode == 2
    assert done.stderr.endswith("which this command needs: pip install 'l2l[replicate]'\n")
