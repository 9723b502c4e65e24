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

from l2l.config.load import merge

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
from l2l.figures.base import figures
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


MINIMISING = """
import sys
from pathlib import Path
import torch
from l2l.config import load_config
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import make_baseline
from l2l.problems import Setup, make_family

config = load_config(files=["mine.yaml"])
setup = Setup(0, Path("data"), torch.device("cpu"), config.problems)
problems = make_family("digits", setup).sample(("test", "digits"), range(2), 50)
start = begin(problems, make_baseline("adam", 0.03))
end = rollout(problems, make_baseline("adam", 0.03), start, 50)
print(start.loss.mean().item(), end.loss.mean().item(), *config.datasets("digits"))
"""


JUDGING = """
import sys
import pandas as pd
from l2l.config import load_config
from l2l.evaluation.claims import evaluate_claims

config = load_config(files=["mine.yaml"])
table = pd.read_csv(sys.argv[1])
columns = config.measurements.gradient_sizes.columns(config)
claims = evaluate_claims(
    {"sizes": config.claims["sizes"]}, {}, "default", {}, measurements={"gradient_sizes": table}
)
print([*table] == [*columns], len(table), *claims["verdict"], sep="|")
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


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A working directory with all of the page's YAML in one file, `mine.yaml`."""
    merged: dict[str, Any] = {}
    for block in _blocks():
        merged = merge(merged, block)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(merged), encoding="utf-8")
    return tmp_path


def _run(folder: Path, *arguments: str, cwd: Path = ROOT) -> str:
    path = os.pathsep.join([str(folder / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path, "L2L_DATA_DIR": str(cwd / "data")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_a_file_a_line_and_a_block_of_yaml_for_each_kind() -> None:
    folders = [Path(path).parent.name for path in _files()]
    own = ["problems", "data", "optimizers", "optimizers", "estimators", "measurements", "figures"]
    assert folders == own
    kinds = ["PROBLEMS", "DATASETS", "BASELINES", "OPTIMIZERS", "ESTIMATORS", "MEASUREMENTS"]
    assert list(_lines()) == [*kinds, "FIGURES"]
    assert len(_blocks()) == 6


def test_the_package_can_be_imported_from_any_side(folder: Path) -> None:
    """Each side comes first in a process of its own, which has PyTorch already."""
    program = (
        "import importlib, os, sys, torch\n"
        "for module in sys.argv[1:]:\n"
        "    if child := os.fork():\n"
        "        os.waitpid(child, 0)\n"
        "        continue\n"
        "    importlib.import_module(module)\n"
        "    from l2l.registry import *; import l2l.optimizers as o\n"
        "    print(resolve(PROBLEMS['rosenbrock'].code).__name__,\n"
        "        o.make_baseline('signsgd', 1.0).__class__.__name__,\n"
        "        resolve(OPTIMIZERS['momentum'].code).__name__,\n"
        "        resolve(ESTIMATORS['greedy'].code).__name__)\n"
        "    sys.exit()\n"
    )
    found = _run(folder, "-c", program, *MODULES).splitlines()
    assert found == ["RosenbrockFamily SignSGD LearnedMomentum Greedy"] * len(MODULES)


def test_its_yaml_has_its_recipes_meta_trained_and_drawn(folder: Path) -> None:
    program = (
        "import json, sys; from l2l.config import load_config\n"
        "for block in json.loads(sys.argv[1]):\n"
        "    c = load_config(overrides=block)\n"
        "    print(*c.used_recipes(), *c.figure_experiments(), sep=',')"
    )
    printed = _run(folder, "-c", program, json.dumps(_blocks())).splitlines()
    for block, line in zip(_blocks(), printed, strict=True):
        assert {*block.get("recipes", ()), *block.get("experiments", ())} <= {*line.split(",")}


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


def test_the_data_set_is_fetched_and_problems_are_minimised_on_it(folder: Path, mine: Path) -> None:
    _run(folder, "-m", "l2l", "data", "digits", "--config-file", "mine.yaml", cwd=mine)
    record = json.loads((mine / "results/default/data/digits.json").read_text())
    assert (record["source"], record["stand_in"]) == ("scikit-learn", None)
    before, after, *datasets = _run(folder, "-c", MINIMISING, cwd=mine).split()
    assert float(after) < 0.7 * float(before)
    assert datasets == ["digits"]


def test_the_workflow_makes_the_measurement_and_its_claim_is_judged(
    folder: Path, mine: Path
) -> None:
    rule = ("measure_gradient_sizes", "--configfile", "mine.yaml")
    snakefile = str(ROOT / "workflow" / "Snakefile")
    _run(folder, "-m", "snakemake", "-s", snakefile, "--cores", "1", *rule, cwd=mine)
    table = mine / "results/default/measurements/gradient_sizes.csv"
    made = table.read_bytes()
    command = ("measure", "gradient-sizes", "--config-file", "mine.yaml")
    _run(folder, "-m", "l2l", *command, cwd=mine)
    assert table.read_bytes() == made
    assert _run(folder, "-c", JUDGING, str(table), cwd=mine).strip() == "True|64|replicated"
