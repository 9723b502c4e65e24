"""make, conda and the container install what pyproject.toml and the constraints say."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    requirements = [Requirement(line) for line in lines if not line.startswith("l2l[")]
    return {canonicalize_name(entry.name): entry for entry in requirements}


def pinned(lines: list[str]) -> dict[str, str]:
    pins = [line.split("==") for line in lines if re.fullmatch(r"[\w.-]+==\S+", line)]
    return {canonicalize_name(name): version for name, version in pins}


def constraints() -> dict[str, str]:
    return pinned((ROOT / "constraints.txt").read_text().splitlines())


def conda(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text())


def pip_section(name: str) -> list[str]:
    return next(entry["pip"] for entry in conda(name)["dependencies"] if isinstance(entry, dict))


def test_every_declared_package_is_pinned_at_a_version_that_pyproject_allows() -> None:
    pins = constraints()
    for name, requirement in declared().items():
        assert name in pins, f"{name} is not in constraints.txt: run make lock"
        assert requirement.specifier.contains(pins[name]), f"{requirement} against {pins[name]}"


def test_conda_installs_what_make_installs() -> None:
    (install,) = (line for line in _make(".venv/ready") if "pip install" in line)
    assert "--constraint constraints.txt --editable '.[dev]'" in install
    assert pip_section("environment.yml") == ["--constraint constraints.txt", "--editable .[dev]"]


def test_without_cuda_make_and_conda_take_one_more_index() -> None:
    (default,), (cpu,) = (
        [line for line in _make(".venv/ready", *torch) if "pip install" in line]
        for torch in ((), ("TORCH=cpu",))
    )
    index, *rest = pip_section("environment-cpu.yml")
    assert rest == pip_section("environment.yml")
    assert set(cpu.split()) - set(default.split()) == set(index.split())
    twins = [conda(name) for name in ("environment.yml", "environment-cpu.yml")]
    for twin in twins:
        twin["dependencies"].pop()
    assert twins[0] == twins[1]


def test_pip_prefers_wheels_of_the_index_without_cuda(tmp_path: Path) -> None:
    version = constraints()["torch"]
    for index, local in (("pypi", ""), ("cpu", "+cpu")):
        _write_wheel(tmp_path / index / "torch", "torch", version + local)
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    install += ["--isolated", "--index-url", (tmp_path / "pypi").as_uri()]
    install += ["--extra-index-url", (tmp_path / "cpu").as_uri()]
    install += ["--constraint", str(ROOT / "constraints.txt"), "torch"]
    done = subprocess.run(install, capture_output=True, text=True, check=True)
    assert f"Would install torch-{version}+cpu" in done.stdout


def _make(*arguments: str) -> list[str]:
    """What make would run, line by line, from the beginning."""
    command = ["make", "--dry-run", "--always-make", *arguments]
    own = {key: text for key, text in os.environ.items() if "MAKE" not in key and key != "TORCH"}
    done = subprocess.run(command, cwd=ROOT, env=own, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def _write_wheel(folder: Path, name: str, version: str) -> None:
    """An empty wheel, and the page of a package index that names it."""
    folder.mkdir(parents=True)
    info = f"{name}-{version}.dist-info"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')


def test_environment_yml_has_a_python_that_pyproject_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    version = next(entry for entry in dependencies if str(entry).startswith("python="))
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version[7:])


def test_the_container_leaves_out_what_git_leaves_out() -> None:
    ignored = {
        name: {
            line.removeprefix("**/").strip("/")
            for line in (ROOT / name).read_text().replace("!/", "!").splitlines()
            if not line.startswith("#")
        }
        for name in (".gitignore", ".dockerignore")
    }
    assert ignored[".gitignore"] == ignored[".dockerignore"]


def test_the_installed_versions_are_the_pinned_ones() -> None:
    from importlib import metadata

    pins = constraints()
    installed = {name: Version(metadata.version(name)).public for name in declared()}
    different = {name: (each, pins[name]) for name, each in installed.items() if each != pins[name]}
    assert not different, "remake the environment (delete .venv), or run make lock"
