"""docs/digits.ipynb is docs/digits.py, executed with the optimizers that ship."""

import json
import runpy
from pathlib import Path

import jupytext
import matplotlib as mpl
import pytest

import l2l

DOCS = Path(__file__).parents[2] / "docs"


def test_the_notebook_is_the_program_executed() -> None:
    notebook = json.loads((DOCS / "digits.ipynb").read_text(encoding="utf-8"))
    found = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert found == [cell.source for cell in jupytext.read(DOCS / "digits.py").cells], (
        "docs/digits.py has changed: make notebook"
    )
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    cards = "\n\n".join(map(str, l2l.released().values()))
    assert "".join(outputs[-1]["text"]).strip() == cards, "others ship now: make notebook"


def test_the_program_runs_and_the_learned_optimizer_is_level_with_the_best(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mpl.use("Agg")
    runs = runpy.run_path(str(DOCS / "digits.py"))["runs"]
    early = {name: sum(float(losses[50]) for losses, _ in found) for name, found in runs.items()}
    assert early["learned"] < 1.2 * min(early.values())
    assert "accuracy" in capsys.readouterr().out
