"""pyproject.toml, the constraints and environment.yml say the same."""

import re
import tomllib
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
