"""README's program and examples/*.py run, and print what they promise."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from l2l.registry import OPTIMIZERS

ROOT = Path(__file__).parents[2]


def run(
    name: str,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[str]:
    """The lines that an example prints."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_readme_program_trains_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own code")[1]
    program = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert program
    exec(program[1], {})
    assert float(capsys.readouterr().out) < 0.1  # at first log 10


def test_the_learned_optimizer_is_ahead_of_adam_at_usual_rates_on_a_network_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, learned, *adam, _ = run("own_model.py", [], monkeypatch, capsys)  # the last has rate 0.1
    assert learned.startswith("learned, general")
    middle = [float(re.split(r"\s{2,}", line)[1]) for line in (learned, *adam)]
    assert middle[0] < min(middle[1:])


def test_an_optimizer_of_ones_own_is_meta_trained_and_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run("own_optimizer.py", ["--episodes", "20"], monkeypatch, capsys)
    del OPTIMIZERS["momenta"]  # which the example adds
    rows = [line.split() for line in lines]
    learned, slow_nag = (
        next(float(row[-1]) for row in rows if row[:1] == [name]) for name in ("learned", "NAG,")
    )
    assert learned < slow_nag
    before, after = re.findall(r"[\d.]+", lines[-1].split(":")[1])
    assert float(after) < 0.2 * float(before)
