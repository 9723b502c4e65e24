"""docs/licences.md names every dependency with the licence that its installed metadata tells."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = chain(*PROJECT["optional-dependencies"].values())
DECLARED = [x for x in (*PROJECT["dependencies"], *EXTRAS) if not x.startswith("l2l[")]
PINNED = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
RESTRICTED = {"NVIDIA": "NVIDIA", "MPL": "MPL|Mozilla", "GPL": "GPL|GNU"}
PERMISSIVE = re.compile("MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib", re.IGNORECASE)


def licence(name: str) -> str:
    """In the words of the metadata: an SPDX expression, else classifiers, else the first line."""
    told = metadata.metadata(name)
    if expression := told.get("License-Expression"):
        return expression
    classifiers = told.get_all("Classifier", [])
    kinds = [line.split("::")[-1].strip() for line in classifiers if line.startswith("License ::")]
    if kinds:
        return ", ".join(kinds)
    if text := (told.get("License") or "").strip():
        return text.splitlines()[0]
    files = [file for file in metadata.files(name) or () if file.name.startswith("LICENSE")]
    return files[0].read_text().strip().splitlines()[0] if files else "none told"


def kind(name: str) -> str:
    """Its class: the first of RESTRICTED that it is even in part, else permissive."""
    text = licence(name)
    for key, pattern in RESTRICTED.items():
        if re.search(pattern, text):
            return key
    return "permissive" if PERMISSIVE.search(text) else "none told"


@pytest.mark.parametrize("line", DECLARED)
def test_a_declared_dependency_has_its_row(line: str) -> None:
    name = Requirement(line).name
    assert f"| {name} | {licence(name)} |" in PAGE


def test_the_classes_of_all_pinned_packages_are_counted_and_the_restricted_ones_named() -> None:
    try:
        kinds = {name: kind(name) for name in PINNED}
    except metadata.PackageNotFoundError as error:
        pytest.skip(f"not every pinned package is installed on this machine: {error}")
    for each in {*kinds.values()}:
        names = [name for name, found in kinds.items() if found == each]
        assert re.search(rf"^\| {each} [^|]*\| {len(names)} \|", PAGE, re.MULTILINE), (each, names)
        if each != "permissive":
            unnamed = [name for name in names if not re.search(rf"\b{name}\b", PAGE)]
            assert not unnamed, each
