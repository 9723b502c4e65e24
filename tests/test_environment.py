"""pyproject.toml, the constraints and environment.yml say the same."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(entry.name): entry for entry in requirements}


def pinned(lines: list[str]) -> dict[str, str]:
    pins = [line.split("==") for line in lines if re.fullmatch(r"[\w.-]+==\S+", line)]
    return {canonicalize_name(name): version for name, version in pins}


def constraints() -> dict[str, str]:
    return pinned((ROOT / "constraints.txt").read_text().splitlines())


def conda_pip_section() -> list[str]:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    return next(entry["pip"] for entry in dependencies if isinstance(entry, dict))


def test_every_declared_package_is_pinned_at_a_version_that_pyproject_allows() -> None:
    pins = constraints()
    for name, requirement in declared().items():
        assert name in pins, f"{name} is not in constraints.txt: run make lock"
        assert requirement.specifier.contains(pins[name]), f"{requirement} against {pins[name]}"


def test_environment_yml_names_the_declared_packages_and_no_others() -> None:
    names = [line for line in conda_pip_section() if not line.startswith("--")]
    assert sorted(map(canonicalize_name, names)) == sorted(declared())


def test_environment_yml_installs_the_checkout_under_the_constraints() -> None:
    section = conda_pip_section()
    assert "--constraint constraints.txt" in section
    assert "--editable ." in section


def test_environment_yml_has_a_python_that_pyproject_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    version = next(entry for entry in dependencies if str(entry).startswith("python="))
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version[7:])


def test_a_wheel_has_every_file_of_the_package_and_runs_outside_a_checkout(tmp_path: Path) -> None:
    source = tmp_path / "source"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("src", "config", "studies"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=unwanted)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = "from setuptools import build_meta; build_meta.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("l2l/")}
        archive.extractall(tmp_path / "installed")
    package = source / "src" / "l2l"
    for link in (package / "defaults").iterdir():
        (target := link.resolve()).relative_to(source)
        link.unlink()
        shutil.copytree(target, link)
    files = {str(path.relative_to(source / "src")) for path in package.rglob("*") if path.is_file()}
    assert names == files
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "l2l", "config"],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("protocol: default")


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
    different = {
        name: (metadata.version(name), pins[name])
        for name in declared()
        if metadata.version(name) != pins[name]
    }
    assert not different, "remake the environment (delete .venv), or run make lock"
