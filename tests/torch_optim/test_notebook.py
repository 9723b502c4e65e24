"""docs/digits.ipynb is docs/digits.py, executed."""

import json
import runpy
from pathlib import Path

import jupytext
import matplotlib as mpl
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_notebook_is_the_program_executed_and_shows_what_it_gives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    notebook = json.loads((DOCS / "digits.ipynb").read_text(encoding="utf-8"))
    found = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert found == [cell.source for cell in jupytext.read(DOCS / "digits.py").cells], (
        "docs/digits.py has changed: make notebook"
    )
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    mpl.use("Agg")
    runs = runpy.run_path(str(DOCS / "digits.py"))["runs"]
    early = {name: sum(float(losses[50]) for losses, _ in found) for name, found in runs.items()}
    assert early["learned"] < 1.2 * min(early.values())
    shown = "".join(text for output in outputs for text in output.get("text", ()))
    said = capsys.readouterr().out
    assert "accuracy" in said
    assert _numbers(shown) == pytest.approx(_numbers(said), rel=0.3), "make notebook"


def _numbers(text: str) -> list[float]:
    """The last loss and the accuracy of each optimizer, a line each."""
    lines = [line.split() for line in text.splitlines() if "accuracy" in line]
    return [float(number) for line in lines for number in (line[-4], line[-2])]
