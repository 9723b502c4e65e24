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
MODULES = ("l2l.optimizers", "l2l.config", "l2l.estimators", "l2l.meta.train", "l2l.problems")
PROGRAM = """
import json, sys
from pathlib import Path
import torch
import l2l
from tests.meta.runs import training
from l2l.config import load_config
from l2l.meta.rollout import begin, rollout
from l2l.meta.train import train
from l2l.meta.epoch import validate
from l2l.optimizers import make_baseline
from l2l.problems import Setup, make_family

folder, blocks = Path(sys.argv[1]), json.loads(sys.argv[2])
assert Path(l2l.__file__).is_relative_to(folder), l2l.__file__
torch.set_num_threads(1)
small = {
    "episodes": 30,
    "steps": 20,
    "problems_per_episode": 8,
    "unroll": [{"start": 0, "window": 10}],
    "meta_learning_rate": {"episodes": 1},
    "validation": {"every": 10, "problems": 8, "steps": 20},
    "sampling": {"fraction": 1},
}
results = {}
for block in blocks:
    for name in block.get("recipes", {}):
        block["recipes"][name] |= small
    config = load_config(overrides=block)
    setup = Setup(0, folder, torch.device("cpu"), config.problems)
    for name in block.get("recipes", {}):
        chosen = config.recipes[name]
        family = make_family(chosen.problem, setup)
        made = training(chosen, rate=0.02)
        problems = family.sample(("validation", chosen.problem), range(8), 20)
        before = validate(problems, made.optimizer(made.initial(0)), 20).final
        state = train(made, family, folder / f"{name}.state", "digest")
        results[name] = [before, state.best_validation, type(family).__name__,
                         type(chosen.optimizer).__name__, type(chosen.estimator).__name__]
    for name in block.get("tuning", {}).get("grids", {}):
        problems = make_family("quadratic", setup).sample(("test",), range(8), 20)
        optimizer = make_baseline(name, config.tuning.grids[name].low)
        start = begin(problems, optimizer)
        end = rollout(problems, optimizer, start, 20)
        results[name] = [start.loss.mean().item(), end.loss.mean().item(),
                         type(optimizer).__name__]
print(json.dumps(results))
"""


DRAWING = """
import sys
from pathlib import Path
from tests.figures.fake_tables import BASELINES, make_curves
from l2l.config import load_config
from l2l.figures.catalog import figures
from l2l.files import write_table
from l2l.layout import Layout
from l2l.results import Results

config, root = load_config(), Path(sys.argv[1])
table = make_curves([*BASELINES, "mnist_paper"], 2, 20)
write_table(root / Layout("default").curves("mnist"), table)
figure = figures(config)["mnist_ends"]
axes = figure.draw(Results(config, root)).axes[0]
print(figure.inputs(config, Layout("default"))[0], figure.study, len(axes.lines), sep="|")
"""


def _files() -> dict[str, str]:
    """The page's files: path -> content."""
    return dict(re.findall(r"^`(src/\S+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.M | re.S))


def _lines() -> dict[str, str]:
    """What the page adds to the registry's mappings: name -> lines."""
    return dict(re.findall(r"^Its line in `(\w+)`:\n\n```python\n(.*?)^```", PAGE, re.M | re.S))


def _blocks() -> list[Any]:
    """The page's YAML."""
    return [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the page's files and lines."""
    folder = tmp_path_factory.mktemp("extended")
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
    shutil.copytree(ROOT / "src" / "l2l", folder / "src" / "l2l", ignore=ignore)
    registry = folder / "src" / "l2l" / "registry.py"
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


def test_the_page_has_a_file_a_line_and_a_block_of_yaml_for_each_kind() -> None:
    folders = [Path(path).parent.name for path in _files()]
    assert folders == ["problems", "optimizers", "optimizers", "estimators", "figures"]
    assert list(_lines()) == ["PROBLEMS", "BASELINES", "OPTIMIZERS", "ESTIMATORS", "FIGURES"]
    assert len(_blocks()) == 4


@pytest.mark.parametrize("module", MODULES)
def test_the_package_can_be_imported_from_any_side(folder: Path, module: str) -> None:
    program = (
        f"import {module}; from l2l.registry import *; import l2l.optimizers as o;"
        "print(resolve(PROBLEMS['rosenbrock'].code).__name__,"
        "o.make_baseline('signsgd', 1.0).__class__.__name__,"
        "resolve(OPTIMIZERS['momentum'].code).__name__,"
        "resolve(ESTIMATORS['greedy'].code).__name__)"
    )
    found = _run(folder, "-c", program).split()
    assert found == ["RosenbrockFamily", "SignSGD", "LearnedMomentum", "Greedy"]


def test_its_yaml_has_its_recipes_meta_trained_and_drawn(folder: Path) -> None:
    program = (
        "import json, sys; from l2l.config import load_config\n"
        "for block in json.loads(sys.argv[1]):\n"
        "    c = load_config(overrides=block)\n"
        "    print(*c.used_recipes(), *c.figure_experiments(), sep=',')"
    )
    printed = _run(folder, "-c", program, json.dumps(_blocks())).splitlines()
    for block, line in zip(_blocks(), printed, strict=True):
        assert {*block.get("recipes", ()), *block["experiments"]} <= {*line.split(",")}


def test_its_examples_are_clean(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    files = [str(folder / path) for path in _files()]
    for command in (["check"], ["format", "--check"]):
        arguments = [*ruff, *command, "--config", str(ROOT / "pyproject.toml"), *files]
        done = subprocess.run(arguments, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_each_works(folder: Path) -> None:
    """Recipes are meta-trained, the hand-crafted optimizer runs; all of them lower the loss."""
    arguments = ("-c", PROGRAM, str(folder), json.dumps(_blocks()))
    results = json.loads(_run(folder, *arguments))
    assert {name: values[2:] for name, values in results.items()} == {
        "rosenbrock_lstm": ["RosenbrockFamily", "LSTMSettings", "AdjointSettings"],
        "signsgd": ["SignSGD"],
        "quadratics_momentum": ["QuadraticFamily", "MomentumSettings", "AdjointSettings"],
        "quadratics_greedy": ["QuadraticFamily", "LSTMSettings", "GreedySettings"],
    }
    for name, (before, after, *_) in results.items():
        assert after < 0.95 * before, name


def test_the_figure_is_drawn(folder: Path, tmp_path: Path) -> None:
    printed = _run(folder, "-c", DRAWING, str(tmp_path)).strip().split("|")
    assert printed == ["results/default/evaluation/mnist/curves.parquet", "mnist", "5"]
