"""docs/extending.md, done word for word in a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
MODULES = ("l2l.optimizers", "l2l.config", "l2l.estimators", "l2l.meta.train")
PROGRAM = """
import json, sys
from pathlib import Path
import torch
import l2l
from tests.meta.runs import FAMILY, training
from l2l.config import load_config
from l2l.config.load import merge
from l2l.meta.train import train
from l2l.meta.validation import validate

assert Path(l2l.__file__).is_relative_to(sys.argv[1]), l2l.__file__
torch.set_num_threads(1)
small = {
    "episodes": 30,
    "steps": 20,
    "problems_per_episode": 4,
    "unroll": [{"start": 0, "window": 10}],
    "meta_learning_rate": {"episodes": 1},
    "validation": {"every": 10, "problems": 4, "steps": 20},
}
found = {}
for name, entry in json.loads(sys.argv[2]).items():
    chosen = load_config(overrides={"recipes": {name: merge(small, entry)}}).recipes[name]
    made = training(chosen, rate=0.02)
    problems = FAMILY.sample(("validation", chosen.problem), range(4), 20)
    before = validate(problems, made.optimizer(made.initial(0)), 20).final
    state = train(made, FAMILY, Path(sys.argv[1]) / f"{name}.state", "digest")
    found[name] = [before, state.best_validation, type(chosen.optimizer).__name__,
                   type(chosen.estimator).__name__]
print(json.dumps(found))
"""


def _files() -> dict[str, str]:
    """The page's files: path -> content."""
    return dict(re.findall(r"^`(src/\S+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.M | re.S))


def _lines() -> dict[str, str]:
    """What the page adds to the registry's mappings: name -> lines."""
    return dict(re.findall(r"^Its line in `(\w+)`:\n\n```python\n(.*?)^```", PAGE, re.M | re.S))


def _recipes() -> dict[str, Any]:
    """The recipes of the page's YAML."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    return {name: entry for b in blocks for name, entry in yaml.safe_load(b)["recipes"].items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the page's files and lines."""
    folder = tmp_path_factory.mktemp("extended")
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
    shutil.copytree(ROOT / "src" / "l2l", folder / "src" / "l2l", ignore=ignore)
    registry = folder / "src" / "l2l" / "config" / "registry.py"
    text = registry.read_text(encoding="utf-8")
    for name, lines in _lines().items():
        start = f"{name} = {{\n"
        assert text.count(start) == 1
        text = text.replace(start, start + lines)
    registry.write_text(text, encoding="utf-8")
    for path, content in _files().items():
        assert not (folder / path).exists()
        (folder / path).write_text(content, encoding="utf-8")
    return folder


def _run(folder: Path, *arguments: str) -> str:
    path = os.pathsep.join([str(folder / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_one_file_one_line_and_one_recipe_of_each() -> None:
    assert [Path(path).parent.name for path in _files()] == ["estimators", "optimizers"]
    assert set(_lines()) == {"ESTIMATORS", "OPTIMIZERS"}
    assert set(_recipes()) == {"quadratics_greedy", "quadratics_momentum"}


@pytest.mark.parametrize("module", MODULES)
def test_the_package_can_be_imported_from_any_side(folder: Path, module: str) -> None:
    program = (
        f"import {module}; from l2l.registry import *; import l2l.optimizers as o;"
        "print(resolve(OPTIMIZERS['momentum'].code).__name__,"
        "resolve(ESTIMATORS['greedy'].code).__name__)"
    )
    assert _run(folder, "-c", program).split() == ["LearnedMomentum", "Greedy"]


def test_its_yaml_has_its_recipes_meta_trained_and_drawn(folder: Path) -> None:
    blocks = [
        yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    ]
    program = (
        "import json, sys; from l2l.config import load_config;"
        "c = load_config(overrides=json.loads(sys.argv[1]));"
        "print(*c.used_recipes(), *c.figure_experiments())"
    )
    for block in blocks:
        found = _run(folder, "-c", program, json.dumps(block)).split()
        assert {*block["recipes"], *block["experiments"]} <= {*found}


def test_its_examples_are_clean(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    files = [str(folder / path) for path in _files()]
    for command in (["check"], ["format", "--check"]):
        arguments = [*ruff, *command, "--config", str(ROOT / "pyproject.toml"), *files]
        done = subprocess.run(arguments, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_both_are_meta_trained_by_a_recipe(folder: Path) -> None:
    arguments = ("-c", PROGRAM, str(folder), json.dumps(_recipes()))
    found = json.loads(_run(folder, *arguments))
    kinds = {name: values[2:] for name, values in found.items()}
    assert kinds["quadratics_greedy"] == ["LSTMSettings", "GreedySettings"]
    assert kinds["quadratics_momentum"] == ["MomentumSettings", "AdjointSettings"]
    for name, (before, after, *_) in found.items():
        assert after < 0.9 * before, name
