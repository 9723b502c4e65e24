"""What the ecosystem reads: versions, citation, lock, workflows of the forge, the site."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FORGE = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = (ROOT / "Makefile").read_text()


def commands(path: Path) -> list[str]:
    """What the steps of a workflow run."""
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_one_version_everywhere() -> None:
    assert read(ROOT / "CITATION.cff")["version"] == PROJECT["version"]
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == PROJECT["version"]


def test_the_lock_has_the_constraints_versions_with_digests_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)[1:]
    locked: dict[str, set[str]] = {}
    for entry in entries:
        match = re.match(r"([\w.-]+)(?:\[\S+\])?==(\S+)", entry)
        assert match, entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        locked.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    pins = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert len(pins) > 150
    other = [name for name, pin in pins if locked.get(canonicalize_name(name)) != {pin}]
    assert not other, "run make lock"
    assert "://" not in lock


@pytest.mark.parametrize("path", FORGE, ids=lambda path: path.stem)
def test_workflows_of_the_forge_call_what_there_is(path: Path) -> None:
    assert commands(path)
    for command in commands(path):
        for target in re.findall(r"\bmake (\w+)", command):
            assert re.search(rf"^{target}:", MAKE, re.MULTILINE), target
        named = re.findall(r"[\w./]+\.(?:py|lock)\b", command.replace("$GITHUB_WORKSPACE/", ""))
        assert all((ROOT / name).is_file() for name in named), named
    assert read(path)["permissions"] == {"contents": "read"}


def test_the_forge_tests_pythons_that_the_package_allows() -> None:
    versions = read(ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert {"3.11", "3.12", "3.13"} <= {*versions["python"]}
    assert all(allowed.contains(version) for version in versions["python"])


def test_every_hook_before_a_commit_is_a_check_of_make_test() -> None:
    (local,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    for hook in local["hooks"]:
        program = " ".join(hook["entry"].split()[:2]).partition(" --")[0]
        assert re.search(rf"\(VENV\)/bin/{program}\b", MAKE), program
